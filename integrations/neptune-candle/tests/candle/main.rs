//! What a tracker leaves in the store, read back from there. Models are so small that the numbers can be worked out.

#![expect(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and compares what must be exact"
)]

mod checkpoints;
mod ending;
mod images;
mod optimizer;
mod steps;

use std::path::Path;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Linear, Module as _, VarBuilder, VarMap};
use neptune_core::{
    Experiment, Mode, Session,
    store::{Points, Store, StoreOptions, Values, read::VariableValue},
};

/// A neptune folder that is removed with the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn session(&self) -> Session {
        Session::builder().folder(self.path()).project("tests/tiny").mode(Mode::Embedded).without_code().open().unwrap()
    }

    /// An experiment; the first of the folder is `TIN-1`.
    fn start(&self) -> Experiment {
        self.session().experiment().start().unwrap()
    }

    fn attach(&self) -> Experiment {
        self.session().attach("TIN-1").start().unwrap()
    }

    fn store(&self) -> Store {
        Store::open(self.path(), StoreOptions::default()).unwrap()
    }

    /// The points of a series of `TIN-1`; none when there is no such series.
    fn points(&self, path: &str) -> Points {
        let store = self.store();
        store.series(&store.find("TIN-1").unwrap(), path, f64::NEG_INFINITY..=f64::INFINITY).unwrap()
    }

    /// The steps and numbers of a series of `TIN-1`.
    fn numbers(&self, path: &str) -> Vec<(f64, f64)> {
        let points = self.points(path);
        let values = match points.values {
            Values::Float(values) => values,
            Values::Text(texts) => panic!("{path} holds {texts:?}"),
        };
        points.steps.into_iter().zip(values).collect()
    }

    fn has(&self, path: &str) -> bool {
        let store = self.store();
        store.variable(&store.find("TIN-1").unwrap(), path).is_ok()
    }

    fn text(&self, path: &str) -> String {
        let store = self.store();
        match store.variable(&store.find("TIN-1").unwrap(), path).unwrap().value {
            VariableValue::Atom(value) => value.as_str().unwrap().to_owned(),
            other => panic!("{path} is {other:?}"),
        }
    }
}

/// `weight . x + bias`, from two inputs to one output.
struct Tiny {
    layer: Linear,
    variables: VarMap,
}

impl Tiny {
    /// With the weights 0.5 and -0.25, and the bias 0.125.
    fn new() -> Self {
        let tiny = Self::with_inputs(2);
        tiny.set("fc.weight", Tensor::new(&[[0.5_f32, -0.25]], &Device::Cpu));
        tiny.set("fc.bias", Tensor::new(&[0.125_f32], &Device::Cpu));
        tiny
    }

    fn with_inputs(inputs: usize) -> Self {
        let variables = VarMap::new();
        let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        Self { layer: candle_nn::linear(inputs, 1, builder.pp("fc")).unwrap(), variables }
    }

    fn set(&self, name: &str, tensor: Result<Tensor>) {
        self.variables.data().lock().unwrap()[name].set(&tensor.unwrap()).unwrap();
    }

    fn get(&self, name: &str) -> Vec<f32> {
        self.variables.data().lock().unwrap()[name].flatten_all().unwrap().to_vec1().unwrap()
    }

    /// The output for one input, as a scalar.
    fn output(&self, input: [f32; 2]) -> Tensor {
        self.layer.forward(&Tensor::new(&[input], &Device::Cpu).unwrap()).unwrap().sum_all().unwrap()
    }

    /// The squared distance of the output from `target`.
    fn loss(&self, input: [f32; 2], target: f64) -> Tensor {
        (self.output(input) - target).unwrap().sqr().unwrap()
    }
}

fn scalar(number: f32) -> Tensor {
    Tensor::new(number, &Device::Cpu).unwrap()
}
