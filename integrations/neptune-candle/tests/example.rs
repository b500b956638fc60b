//! The example `candle_digits`, run as a user runs it.

use neptune_tests::Example;

const EXAMPLE: Example = Example { name: "candle_digits", some_checkpoint: 90.0, first_step: 0 };

#[test]
fn killed_and_started_again_it_goes_on_in_one_continuous_curve_and_succeeds() {
    EXAMPLE.goes_on_behind_a_kill();
}

#[test]
fn asked_from_outside_it_ends_aborted() {
    EXAMPLE.is_aborted_from_outside();
}
