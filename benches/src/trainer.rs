//! A real loss curve: a linear classifier learns the digits, one small batch a step.

use std::time::{SystemTime, UNIX_EPOCH};

const PIXELS: usize = 64;
const CLASSES: usize = 10;
const BATCH: usize = 8;

/// A curve of training: the loss of each step, in 32-bit precision, and when it was computed.
#[derive(Debug, Clone, Default)]
pub struct Curve {
    /// Losses.
    pub losses: Vec<f32>,
    /// Microseconds since the epoch.
    pub times: Vec<i64>,
}

/// Trains for `steps` steps and returns what happened.
#[expect(clippy::disallowed_methods, reason = "the times are part of what is measured")]
pub fn train(steps: usize) -> Curve {
    let samples: Vec<(Vec<f32>, usize)> = include_str!("../../examples/data/digits.csv")
        .lines()
        .filter_map(|line| {
            let (pixels, label) = line.rsplit_once(',')?;
            let pixels: Vec<f32> =
                pixels.split(',').filter_map(|pixel| Some(pixel.parse::<f32>().ok()? / 16.0)).collect();
            Some((pixels, label.trim().parse().ok()?)).filter(|(pixels, _)| pixels.len() == PIXELS)
        })
        .collect();
    assert!(samples.len() > 1_000, "the digits are shipped with the example");
    let mut weights = vec![[0.0_f32; PIXELS + 1]; CLASSES];
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut curve = Curve::default();
    for step in 0..steps {
        let rate = 0.5 / (1.0 + step as f32 / 20_000.0);
        let mut loss = 0.0;
        for _ in 0..BATCH {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let (pixels, label) = &samples[usize::try_from(random % samples.len() as u64).unwrap_or(0)];
            let scores: Vec<f32> = weights
                .iter()
                .map(|weights| {
                    weights[PIXELS] + weights.iter().zip(pixels).map(|(weight, pixel)| weight * pixel).sum::<f32>()
                })
                .collect();
            let most = scores.iter().copied().fold(f32::MIN, f32::max);
            let total: f32 = scores.iter().map(|score| (score - most).exp()).sum();
            loss += total.ln() + most - scores[*label];
            for (class, weights) in weights.iter_mut().enumerate() {
                let probability = (scores[class] - most).exp() / total;
                let slope = (probability - if class == *label { 1.0 } else { 0.0 }) * rate / BATCH as f32;
                for (weight, pixel) in weights.iter_mut().zip(pixels) {
                    *weight -= slope * pixel;
                }
                weights[PIXELS] -= slope;
            }
        }
        curve.losses.push(loss / BATCH as f32);
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros());
        curve.times.push(i64::try_from(time).unwrap_or(i64::MAX));
    }
    curve
}
