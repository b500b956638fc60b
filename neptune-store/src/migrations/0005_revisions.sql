-- Time travel: points that are deleted are moved aside until gc, variables take other paths, and experiments begin with the
-- points of another.

-- A change that can be undone. The points that it deleted are chunks whose experiment_id is -id: there is no experiment of
-- a negative number, so no reader finds them, and they keep their rows and bytes.
CREATE TABLE revision (
    id             INTEGER PRIMARY KEY,
    uuid           BYTEA  NOT NULL UNIQUE,
    experiment_id  BIGINT NOT NULL REFERENCES experiment (id),
    writer_id      BIGINT NOT NULL REFERENCES writer (id),
    number         BIGINT NOT NULL,        -- of the experiment, from 1: what people call it
    kind           BIGINT NOT NULL,        -- 0 points deleted, 1 renamed
    path_id        BIGINT REFERENCES path (id), -- of the points, NULL for those of every series; or the path that was
    to_path_id     BIGINT REFERENCES path (id), -- the path that it got
    first_step     DOUBLE PRECISION,       -- what is deleted
    last_step      DOUBLE PRECISION,
    time_us        BIGINT NOT NULL,
    undone         BIGINT NOT NULL DEFAULT 0,
    purged         BIGINT NOT NULL DEFAULT 0, -- gc removed what was aside, so it cannot be undone
    UNIQUE (experiment_id, number)
);

-- How often a variable of the experiment took another path: what a process remembers of paths is good for one count.
ALTER TABLE experiment ADD COLUMN renamed BIGINT NOT NULL DEFAULT 0;

-- The chunk that has the bytes of this one, which has none itself then: an experiment that was forked has rows of its own
-- and shares the bytes. The last column, behind the bytes: read it only where data is empty.
ALTER TABLE chunk ADD COLUMN copy_of BIGINT;
CREATE INDEX chunk_copies ON chunk (copy_of) WHERE copy_of IS NOT NULL;
