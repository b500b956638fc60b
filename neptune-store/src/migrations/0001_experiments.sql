-- The first schema. Forward only: a released file is never edited, a new one is added.
-- The SQL keeps to what SQLite and PostgreSQL share. Times are microseconds since the epoch, UTC.

CREATE TABLE project (
    id           INTEGER PRIMARY KEY,
    name         TEXT   NOT NULL UNIQUE,   -- workspace/name
    short_key    TEXT   NOT NULL UNIQUE,   -- MNI, the first part of short ids
    next_number  BIGINT NOT NULL           -- the number of the next experiment
);

CREATE TABLE experiment (
    id          INTEGER PRIMARY KEY,
    uuid        BYTEA  NOT NULL UNIQUE,
    project_id  BIGINT NOT NULL REFERENCES project (id),
    number      BIGINT NOT NULL,           -- MNI-12 is number 12 of the project with key MNI
    outcome     BIGINT NOT NULL,           -- the worst of its closed writers: 0 succeeded, 1 aborted, 2 failed
    UNIQUE (project_id, number)
);

-- A process that logs to an experiment. The position is advanced in the transaction that stores what lies before it,
-- which is what makes every record count exactly once.
CREATE TABLE writer (
    id             INTEGER PRIMARY KEY,
    uuid           BYTEA  NOT NULL UNIQUE,
    experiment_id  BIGINT NOT NULL REFERENCES experiment (id),
    segment        BIGINT NOT NULL,
    position       BIGINT NOT NULL,
    opened_us      BIGINT NOT NULL,
    closed_us      BIGINT,                 -- NULL while it is open
    host           TEXT   NOT NULL,
    pid            BIGINT NOT NULL,
    panic          TEXT                    -- the last panic of a thread, to explain a death
);
CREATE INDEX writer_of_experiment ON writer (experiment_id);

CREATE TABLE path (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE
);

-- The numbers that a writer's journal gives to its series. path_id is NULL when the series was refused.
CREATE TABLE writer_series (
    writer_id  BIGINT NOT NULL REFERENCES writer (id),
    series     BIGINT NOT NULL,
    path_id    BIGINT REFERENCES path (id),
    type       BIGINT NOT NULL,
    PRIMARY KEY (writer_id, series)
) WITHOUT ROWID;

-- One row a variable: the value of an atom, or what a table shows of a series (its last point and its statistics).
-- number holds floats, integers, booleans (0 or 1) and times; text holds strings and JSON, and "NaN" for a number that is
-- not one, because SQL has no word for it.
CREATE TABLE variable (
    experiment_id  BIGINT NOT NULL REFERENCES experiment (id),
    path_id        BIGINT NOT NULL REFERENCES path (id),
    type           BIGINT NOT NULL,        -- VariableType::code
    number         DOUBLE PRECISION,
    integer        BIGINT,                 -- exact integers, booleans and times
    text           TEXT,
    count          BIGINT,                 -- points of a series, members of a set
    nonfinite      BIGINT,                 -- points that are NaN or infinite; the statistics leave them out
    minimum        DOUBLE PRECISION,
    maximum        DOUBLE PRECISION,
    total          DOUBLE PRECISION,       -- the sum
    first_step     DOUBLE PRECISION,
    last_step      DOUBLE PRECISION,
    last_us        BIGINT,                 -- the time of the last point
    PRIMARY KEY (experiment_id, path_id)
) WITHOUT ROWID;
CREATE INDEX variable_of_path ON variable (path_id, experiment_id, type, number, integer, text);

CREATE TABLE member (
    experiment_id  BIGINT NOT NULL,
    path_id        BIGINT NOT NULL,
    member         TEXT   NOT NULL,
    PRIMARY KEY (experiment_id, path_id, member)
) WITHOUT ROWID;

-- The points of a series, in pieces. The pieces of one series never overlap in steps.
CREATE TABLE chunk (
    id             INTEGER PRIMARY KEY,
    experiment_id  BIGINT NOT NULL,
    path_id        BIGINT NOT NULL,
    first_step     DOUBLE PRECISION NOT NULL,
    last_step      DOUBLE PRECISION NOT NULL,
    count          BIGINT NOT NULL,
    sealed         BIGINT NOT NULL,        -- 0: recent points, plain; 1: compressed
    nonfinite      BIGINT NOT NULL,
    minimum        DOUBLE PRECISION,
    maximum        DOUBLE PRECISION,
    total          DOUBLE PRECISION,
    blocks         BYTEA,                  -- minima and maxima of blocks of points, for overviews
    data           BYTEA NOT NULL
);
CREATE UNIQUE INDEX chunk_of_series ON chunk (experiment_id, path_id, first_step);
CREATE INDEX chunk_to_seal ON chunk (experiment_id, path_id, first_step) WHERE sealed = 0;

CREATE TABLE lost (
    experiment_id  BIGINT NOT NULL,
    writer_id      BIGINT NOT NULL,
    source         BIGINT NOT NULL,        -- 0: counted by the writer; 1: refused by the store; 2: damage
    reason         TEXT   NOT NULL,        -- LostReason::name
    count          BIGINT NOT NULL,
    PRIMARY KEY (experiment_id, writer_id, source, reason)
) WITHOUT ROWID;
