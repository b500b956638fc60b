//! Behaviour of neptune from outside, each test a sentence, with real folders and real processes.

mod bad_input;
mod crash;
mod damage;
mod ending;
mod processes;
mod recording;
mod tidy;
