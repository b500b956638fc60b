//! What may be logged as a number, and as a step.

use neptune_format::Step;

mod sealed {
    pub trait Sealed {}
}

/// A number that a metric takes: any float or integer, or a bool. Sealed.
pub trait Number: sealed::Sealed + Copy {
    /// The number as a metric keeps it. Integers beyond 2^53 are rounded.
    fn to_f64(self) -> f64;

    /// The number of a point that is read back. Rounded towards zero and clamped for integers.
    fn from_f64(value: f64) -> Self;
}

/// Something that says where on the x axis a point stands: any integer or float, or a [`Step`]. Sealed.
///
/// A NaN or infinite step is no place; the point is then counted as lost.
pub trait IntoStep: sealed::Sealed {
    /// The step, or `None` when there is no such place.
    fn into_step(self) -> Option<Step>;
}

macro_rules! number {
    ($($number:ty),*) => {$(
        impl sealed::Sealed for $number {}

        impl Number for $number {
            #[inline]
            #[expect(clippy::allow_attributes, reason = "whether the lint fires depends on the width of the type")]
            #[allow(clippy::cast_lossless, reason = "one definition for types that fit and types that do not")]
            fn to_f64(self) -> f64 {
                self as f64
            }

            #[expect(clippy::allow_attributes, reason = "whether the lints fire depends on the type")]
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounding is documented")]
            fn from_f64(value: f64) -> Self {
                value as $number
            }
        }
    )*};
}
number!(f64, f32, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

macro_rules! step {
    ($($integer:ty),*) => {$(
        impl IntoStep for $integer {
            #[inline]
            fn into_step(self) -> Option<Step> {
                Some(Step::from(self))
            }
        }
    )*};
}
step!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl IntoStep for f64 {
    #[inline]
    fn into_step(self) -> Option<Step> {
        Step::new(self)
    }
}

impl IntoStep for f32 {
    #[inline]
    fn into_step(self) -> Option<Step> {
        Step::new(self.into())
    }
}

impl sealed::Sealed for Step {}

impl IntoStep for Step {
    #[inline]
    fn into_step(self) -> Option<Step> {
        Some(self)
    }
}

impl sealed::Sealed for bool {}

impl Number for bool {
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self))
    }

    fn from_f64(value: f64) -> Self {
        value != 0.0
    }
}
