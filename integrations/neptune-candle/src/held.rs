//! Numbers that are still on their device, and reading them: many at once, because each read waits for the device.
//!
//! A held number does not change any more: its storage is its own, and the graph that it came from is let go.

use candle_core::{DType, DeviceLocation, Result, Tensor};
use neptune_core::{Series, Timestamp};

/// Numbers of one time and step: `values` has one dimension, and as many elements as there are series.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) step: u64,
    pub(crate) time: Timestamp,
    /// `None` where the path was refused, which is counted already.
    pub(crate) series: Vec<Option<Series<f64>>>,
    pub(crate) values: Tensor,
}

/// Numbers that could not be read, and why.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) count: u64,
    pub(crate) error: candle_core::Error,
}

/// A copy of a tensor with one element, as a vector: later changes of the tensor do not reach it.
pub(crate) fn scalar_copy(tensor: &Tensor) -> Result<Tensor> {
    // A variable is changed in place by its optimizer, and a view of a large tensor would keep all of it.
    tensor.detach().reshape(1)?.force_contiguous()
}

/// Logs everything that is `held`. Returns how often a device was waited for, and what could not be read.
pub(crate) fn log(held: Vec<Held>) -> (u64, Vec<Unread>) {
    let mut alike: Vec<(DType, DeviceLocation, Vec<Held>)> = Vec::new();
    for held in held {
        let (dtype, device) = (held.values.dtype(), held.values.device().location());
        match alike.iter_mut().find(|(other, on, _)| *other == dtype && *on == device) {
            Some((_, _, group)) => group.push(held),
            None => alike.push((dtype, device, vec![held])),
        }
    }
    let reads = alike.len() as u64;
    let mut unread = Vec::new();
    for (_, _, group) in alike {
        if let Err(error) = log_group(&group) {
            unread.push(Unread { count: group.iter().map(|held| held.series.len() as u64).sum(), error });
        }
    }
    (reads, unread)
}

/// Logs numbers of one type on one device, which is read once.
fn log_group(group: &[Held]) -> Result<()> {
    let numbers = match group {
        [one] => numbers(&one.values)?,
        many => numbers(&Tensor::cat(&many.iter().map(|held| &held.values).collect::<Vec<_>>(), 0)?)?,
    };
    let mut numbers = numbers.into_iter();
    for held in group {
        for (series, number) in held.series.iter().zip(numbers.by_ref()) {
            if let Some(series) = series {
                series.append_with(held.step, held.time, number);
            }
        }
    }
    Ok(())
}

/// The elements of a tensor with one dimension. Waits for its device.
pub(crate) fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    fn all<T: candle_core::WithDType>(tensor: &Tensor, convert: impl Fn(T) -> f64) -> Result<Vec<f64>> {
        Ok(tensor.to_vec1::<T>()?.into_iter().map(convert).collect())
    }
    match tensor.dtype() {
        DType::F64 => tensor.to_vec1(),
        DType::I64 => all::<i64>(tensor, |number| number as f64),
        DType::I32 => all::<i32>(tensor, f64::from),
        DType::I16 => all::<i16>(tensor, f64::from),
        DType::U32 => all::<u32>(tensor, f64::from),
        DType::U8 => all::<u8>(tensor, f64::from),
        _ => all::<f32>(&tensor.to_dtype(DType::F32)?, f64::from),
    }
}
