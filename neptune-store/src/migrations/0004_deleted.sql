-- Experiments that were deleted. Nothing of them is kept but that: a journal of theirs that comes later is thrown away instead of
-- making half an experiment of it.
CREATE TABLE deleted (
    uuid        BYTEA  NOT NULL PRIMARY KEY,
    deleted_us  BIGINT NOT NULL
);
