-- A writer that only edits: it is no part of the run, so neither its life nor its end changes the state of the experiment.
ALTER TABLE writer ADD COLUMN edits BIGINT NOT NULL DEFAULT 0;
