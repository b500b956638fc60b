-- Files and images: their bytes are objects in the folder, named by their content. This says which variables need which
-- object, so that one that nobody needs can be removed. A point of an image that was written over stays counted here until
-- its variable is deleted: an object may be kept too long, never too short.

CREATE TABLE object_use (
    object         BYTEA  NOT NULL,        -- ObjectId: 32 bytes
    experiment_id  BIGINT NOT NULL REFERENCES experiment (id),
    path_id        BIGINT NOT NULL REFERENCES path (id),
    PRIMARY KEY (object, experiment_id, path_id)
) WITHOUT ROWID;
CREATE INDEX object_of_variable ON object_use (experiment_id, path_id);
