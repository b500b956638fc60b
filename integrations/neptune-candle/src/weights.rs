//! Tensors as a safetensors file with metadata, which `VarMap::save` cannot write, and back into the variables of a model.
//!
//! The same tensors and metadata give the same bytes. Writing holds one tensor in memory at a time. Reading changes all
//! variables of a model or none of them.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Cursor, Read},
    vec,
};

use candle_core::{DType, Device, Tensor, Var, safetensors::SliceSafetensors};
use safetensors::{SafeTensors, tensor::Metadata, tensor::View as _};
use serde_json::json;

use crate::error::{Error, ErrorKind, Result};

/// The name that the format reserves for metadata.
const METADATA: &str = "__metadata__";

/// How many differences between a file and a model a message names.
const MOST_NAMED: usize = 4;

/// The bytes of a safetensors file: see <https://github.com/huggingface/safetensors#format>.
#[derive(Debug)]
pub(crate) struct Writing {
    /// What is being read: the header, then a tensor after the other.
    current: Cursor<Vec<u8>>,
    left: vec::IntoIter<Tensor>,
}

impl Writing {
    /// A file of `tensors`, in any order.
    pub(crate) fn new(tensors: Vec<(String, Tensor)>, metadata: &BTreeMap<String, String>) -> Result<Self> {
        let mut tensors: Vec<_> = tensors.into_iter().map(|(name, tensor)| (name, tensor.detach())).collect();
        // As the safetensors crate does: the widest types first keeps every tensor aligned; then by name.
        tensors.sort_by(|(a, left), (b, right)| {
            right.dtype().size_in_bytes().cmp(&left.dtype().size_in_bytes()).then_with(|| a.cmp(b))
        });

        let mut header = BTreeMap::from([(METADATA, json!(metadata))]);
        let mut begin = 0;
        for (name, tensor) in &tensors {
            if name == METADATA {
                return Err(Error::new(ErrorKind::Invalid, format!("a tensor cannot have the name {METADATA}")));
            }
            if !is_supported(tensor.dtype()) {
                let dtype = tensor.dtype();
                return Err(Error::new(ErrorKind::Invalid, format!("{name}: candle cannot save the type {dtype:?}")));
            }
            let end = begin + tensor.data_len();
            let dtype = safetensors::Dtype::from(tensor.dtype());
            header.insert(name, json!({ "dtype": dtype, "shape": tensor.dims(), "data_offsets": [begin, end] }));
            begin = end;
        }
        let mut text = json!(header).to_string().into_bytes();
        text.resize(text.len().next_multiple_of(8), b' ');
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.append(&mut text);
        let left = tensors.into_iter().map(|(_, tensor)| tensor).collect::<Vec<_>>().into_iter();
        Ok(Self { current: Cursor::new(bytes), left })
    }
}

impl Read for Writing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.current.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(tensor) = self.left.next() else { return Ok(0) };
            // Of a tensor on the CPU, and of a type that is supported, its bytes can be had without a panic.
            let tensor = tensor.to_device(&Device::Cpu).map_err(io::Error::other)?;
            self.current = Cursor::new(tensor.data().into_owned());
        }
    }
}

/// Types whose bytes candle gives.
const fn is_supported(dtype: DType) -> bool {
    matches!(
        dtype,
        DType::U8
            | DType::U32
            | DType::I16
            | DType::I32
            | DType::I64
            | DType::F16
            | DType::BF16
            | DType::F32
            | DType::F64
            | DType::F8E4M3
    )
}

/// What a file says about itself; empty when it says nothing.
pub(crate) fn metadata(file: &[u8]) -> Result<HashMap<String, String>> {
    let (_, metadata): (_, Metadata) = SafeTensors::read_metadata(file).map_err(corrupt)?;
    Ok(metadata.metadata().clone().unwrap_or_default())
}

/// Every tensor of a file, on the CPU.
pub(crate) fn tensors(file: &[u8]) -> Result<HashMap<String, Tensor>> {
    SafeTensors::deserialize(file).map_err(corrupt)?;
    Ok(candle_core::safetensors::load_buffer(file, &Device::Cpu)?)
}

/// Sets the variables of a model to the tensors of a file, which are the same by name, shape and type.
pub(crate) fn set(parameters: &[(String, Var)], file: &[u8]) -> Result<()> {
    if parameters.is_empty() {
        return Err(Error::new(ErrorKind::Mismatch, "the model has no variables; build its layers, then restore"));
    }
    let differences = differences(parameters, &SafeTensors::deserialize(file).map_err(corrupt)?);
    if !differences.is_empty() {
        let more = differences.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let named = differences.get(..MOST_NAMED).unwrap_or(&differences).join("; ");
        return Err(Error::new(ErrorKind::Mismatch, format!("the checkpoint is of another model: {named}{more}")));
    }
    let file = SliceSafetensors::new(file)?;
    for (name, var) in parameters {
        var.set(&file.load(name, var.device())?)?;
    }
    Ok(())
}

/// How a file differs from a model, tensor by tensor.
fn differences(parameters: &[(String, Var)], file: &SafeTensors<'_>) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, var) in parameters {
        let Ok(saved) = file.tensor(name) else {
            differences.push(format!("{name} is in the model only"));
            continue;
        };
        let dtype = safetensors::Dtype::from(var.dtype());
        if saved.dtype() != dtype || saved.shape() != var.dims() {
            differences.push(format!(
                "{name} is {} {:?} in the checkpoint and {dtype} {:?} in the model",
                saved.dtype(),
                saved.shape(),
                var.dims()
            ));
        }
    }
    let mut others: Vec<_> =
        file.names().into_iter().filter(|name| !parameters.iter().any(|(own, _)| own == name)).collect();
    others.sort_unstable();
    differences.extend(others.into_iter().map(|name| format!("{name} is in the checkpoint only")));
    differences
}

fn corrupt(error: safetensors::SafeTensorError) -> Error {
    Error::new(ErrorKind::Corrupt, "the checkpoint is no safetensors file").because(error)
}
