//! Checkpoints: what is saved is restored, in the experiment that goes on.

use std::collections::{BTreeMap, HashMap};

use candle_core::{DType, Device, Tensor};
use candle_nn::{Optimizer as _, SGD, VarBuilder, VarMap};
use neptune_candle::{ErrorKind, Tracker};
use neptune_core::{ArtifactSource, Checkpoints, Experiment, Goal};
use safetensors::SafeTensors;

use crate::{Folder, Tiny, scalar};

const MODEL: &str = "model.safetensors";

/// Trains until `steps` are done; every step has the same input, so the loss falls from step to step.
fn train(model: &Tiny, tracker: &Tracker, steps: u64, checkpoint_every: u64) {
    let mut optimizer = tracker.optimizer(SGD::new(model.variables.all_vars(), 0.05).unwrap());
    while tracker.steps_done() < steps {
        let step = tracker.step();
        let loss = model.loss([1.0, 2.0], 3.0);
        optimizer.backward_step(&loss).unwrap();
        step.log("train/loss", &loss);
        if (step.number() + 1).is_multiple_of(checkpoint_every) {
            tracker.checkpoint(None).unwrap();
        }
    }
}

fn file(experiment: &Experiment, version: &str) -> Vec<u8> {
    let checkpoints = experiment.checkpoints("checkpoints").unwrap();
    checkpoints.read(&checkpoints.find(version).unwrap().unwrap(), MODEL).unwrap()
}

fn steps(checkpoints: &Checkpoints) -> Vec<u64> {
    checkpoints.list().iter().map(|checkpoint| checkpoint.step).collect()
}

#[test]
fn training_that_is_killed_goes_on_from_its_latest_checkpoint_on_the_same_curve() {
    let whole = Folder::new();
    let experiment = whole.start();
    let model = Tiny::new();
    train(&model, &Tracker::new(&experiment, &model.variables), 20, 6);
    experiment.stop().unwrap();

    let folder = Folder::new();
    let experiment = folder.start();
    let first = Tiny::new();
    let tracker = Tracker::builder(&experiment, &first.variables).read_every(5).build();
    assert!(tracker.restore("latest").unwrap().is_none(), "there is none on the first start");
    train(&first, &tracker, 15, 6);
    // It ends before its time, three steps behind the checkpoint.
    drop((tracker, experiment));

    let experiment = folder.attach();
    let second = Tiny::with_inputs(2);
    let tracker = Tracker::new(&experiment, &second.variables);
    let restored = tracker.restore("latest").unwrap().unwrap();
    assert_eq!((restored.step, restored.metric), (12, None));
    assert!(restored.extra.is_empty());
    assert_eq!(tracker.steps_done(), 12);
    train(&second, &tracker, 20, 6);
    experiment.stop().unwrap();

    let curve = folder.numbers("train/loss");
    assert_eq!(curve, whole.numbers("train/loss"), "as if nothing had happened, with an optimizer that has no state");
    assert_eq!(curve.len(), 20);
    assert_eq!(second.get("fc.weight"), model.get("fc.weight"));
}

#[test]
fn a_checkpoint_says_what_it_is_and_is_what_other_programs_read() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let tracker = Tracker::new(&experiment, &model.variables);
    tracker.resume_at(7);
    tracker.checkpoint(0.25).unwrap();
    let bytes = file(&experiment, "7");

    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut metadata: Vec<_> = metadata.metadata().clone().unwrap().into_iter().collect();
    metadata.sort();
    let expected = [
        ("experiment", experiment.id().to_string()),
        ("metric", "0.25".to_owned()),
        ("neptune_format", "1".to_owned()),
        ("step", "7".to_owned()),
    ];
    assert_eq!(metadata, expected.map(|(key, value)| (key.to_owned(), value)));

    let path = folder.path().join("copy.safetensors");
    std::fs::write(&path, &bytes).unwrap();
    let mut other = Tiny::with_inputs(2);
    other.variables.load(&path).unwrap();
    assert_eq!(other.get("fc.weight"), [0.5, -0.25]);
    assert_eq!(other.get("fc.bias"), [0.125]);
    experiment.stop().unwrap();
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    let folder = Folder::new();
    let experiment = folder.start();
    let save = |family: &str| {
        // A map of its own, so that its order differs.
        let model = VarMap::new();
        let builder = VarBuilder::from_varmap(&model, DType::F32, &Device::Cpu);
        for name in ["b", "a", "d", "c", "e"] {
            builder.get_with_hints((2, 3), name, candle_nn::Init::Const(0.5)).unwrap();
        }
        builder.set_dtype(DType::F64).get_with_hints(3, "wide", candle_nn::Init::Const(1.0)).unwrap();
        let checkpoints = experiment.checkpoints(family).unwrap();
        Tracker::builder(&experiment, &model).checkpoints(checkpoints.clone()).build().checkpoint(0.5).unwrap();
        checkpoints.read(&checkpoints.find("latest").unwrap().unwrap(), MODEL).unwrap()
    };
    let bytes = save("one");
    for family in ["two", "three", "four"] {
        assert_eq!(save(family), bytes);
    }
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut tensors: Vec<_> = header.tensors().into_iter().collect();
    tensors.sort_by_key(|(_, tensor)| tensor.data_offsets.0);
    let names: Vec<_> = tensors.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["wide", "a", "b", "c", "d", "e"]);
    experiment.stop().unwrap();
}

#[test]
fn tensors_of_every_type_and_shape_come_back() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let tracker = Tracker::new(&experiment, &model.variables);
    let numbers = Tensor::arange(0_f32, 6.0, &Device::Cpu).unwrap().reshape((2, 3)).unwrap();
    let types = [DType::U8, DType::U32, DType::I64, DType::BF16, DType::F16, DType::F32, DType::F64];
    let mut extra: BTreeMap<String, Tensor> =
        types.iter().map(|dtype| (dtype.as_str().to_owned(), numbers.to_dtype(*dtype).unwrap())).collect();
    extra.insert("transposed".to_owned(), numbers.t().unwrap());
    extra.insert("empty".to_owned(), Tensor::zeros((0, 4), DType::F32, &Device::Cpu).unwrap());
    extra.insert("scalar".to_owned(), scalar(4.5));
    tracker.checkpoint_with(None, extra.clone().into_iter().collect()).unwrap();

    let restored = tracker.restore("latest").unwrap().unwrap().extra;
    assert_eq!(restored.len(), extra.len());
    for (name, tensor) in extra {
        let back = &restored[&name];
        assert_eq!((back.dtype(), back.dims()), (tensor.dtype(), tensor.dims()), "{name}");
        let values =
            |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert_eq!(values(back), values(&tensor), "{name}");
    }
    experiment.stop().unwrap();
}

#[test]
fn the_last_and_the_best_are_kept_and_found_by_their_aliases() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let checkpoints = experiment.checkpoints("checkpoints").unwrap().keep_last(2).keep_best(1, Goal::Maximize);
    let tracker = Tracker::builder(&experiment, &model.variables).checkpoints(checkpoints).build();
    for (number, accuracy) in [(1_u8, 0.5), (2, 0.9), (3, 0.7), (4, 0.6), (5, 0.8)] {
        drop(tracker.step());
        model.set("fc.bias", Tensor::new(&[f32::from(number)], &Device::Cpu));
        tracker.checkpoint(accuracy).unwrap();
    }
    assert_eq!(steps(&tracker.checkpoints().unwrap()), [2, 4, 5]);

    for (version, step, metric) in [("latest", 5, 0.8), ("best", 2, 0.9), ("4", 4, 0.6)] {
        let restored = tracker.restore(version).unwrap().unwrap();
        assert_eq!((restored.step, restored.metric), (step, Some(metric)), "{version}");
        assert_eq!(model.get("fc.bias"), [step as f32], "{version}");
        assert_eq!(tracker.steps_done(), step, "{version}");
    }
    assert!(tracker.restore("3").unwrap().is_none(), "it was dropped");
    assert_eq!(model.get("fc.bias"), [4.0]);
    experiment.stop().unwrap();
}

#[test]
fn a_checkpoint_in_a_step_counts_the_step() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::new(&experiment, &Tiny::new().variables);
    {
        let _step = tracker.step();
        tracker.checkpoint(None).unwrap();
    }
    drop(tracker.step());
    tracker.checkpoint(None).unwrap();
    assert_eq!(steps(&tracker.checkpoints().unwrap()), [1, 2]);
    experiment.stop().unwrap();
}

#[test]
fn a_checkpoint_reads_what_is_held() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::builder(&experiment, &Tiny::new().variables).read_every(1000).build();
    tracker.step().log("loss", &scalar(2.0));
    tracker.checkpoint(None).unwrap();
    assert_eq!(tracker.reads(), 1);
    assert_eq!(experiment.series::<f64>("loss").unwrap().last().unwrap().value, 2.0);
    experiment.stop().unwrap();
}

#[test]
fn a_checkpoint_of_another_model_is_refused_by_the_names_and_shapes_and_changes_nothing() {
    let folder = Folder::new();
    let experiment = folder.start();
    Tracker::new(&experiment, &Tiny::new().variables).checkpoint(None).unwrap();

    let refused = |model: &VarMap| {
        let tracker = Tracker::new(&experiment, model);
        tracker.resume_at(77);
        let error = tracker.restore("latest").unwrap_err();
        assert_eq!(tracker.steps_done(), 77);
        assert_eq!(error.kind(), ErrorKind::Mismatch);
        error.to_string()
    };
    let wide = Tiny::with_inputs(3);
    wide.set("fc.bias", Tensor::new(&[9_f32], &Device::Cpu));
    assert_eq!(
        refused(&wide.variables),
        "the checkpoint is of another model: fc.weight is F32 [1, 2] in the checkpoint and F32 [1, 3] in the model"
    );
    assert_eq!(wide.get("fc.bias"), [9.0], "not even what fits is changed");

    let deep = Tiny::new();
    let builder = VarBuilder::from_varmap(&deep.variables, DType::F32, &Device::Cpu);
    candle_nn::linear(1, 1, builder.pp("head")).unwrap();
    assert_eq!(
        refused(&deep.variables),
        "the checkpoint is of another model: head.bias is in the model only; head.weight is in the model only"
    );

    let precise = VarMap::new();
    let builder = VarBuilder::from_varmap(&precise, DType::F64, &Device::Cpu);
    builder.get_with_hints((1, 2), "fc.weight", candle_nn::Init::Const(0.0)).unwrap();
    assert_eq!(
        refused(&precise),
        "the checkpoint is of another model: fc.weight is F32 [1, 2] in the checkpoint and F64 [1, 2] in the model; \
         fc.bias is in the checkpoint only"
    );
    assert_eq!(refused(&VarMap::new()), "the model has no variables; build its layers, then restore");
    experiment.stop().unwrap();
}

#[test]
fn a_checkpoint_that_is_damaged_or_newer_is_refused() {
    let folder = Folder::new();
    let experiment = folder.start();
    let model = Tiny::new();
    let tracker = Tracker::new(&experiment, &model.variables);
    tracker.checkpoint(None).unwrap();
    let good = file(&experiment, "latest");
    let checkpoints = tracker.checkpoints().unwrap();
    let add = |step: u64, bytes: &[u8]| {
        checkpoints.add_file(step, MODEL, ArtifactSource::Bytes(bytes)).unwrap();
        checkpoints.complete(step, None).unwrap();
    };
    add(1, b"no such format");
    add(2, &good[..good.len() - 1]);
    let key = b"\"neptune_format\":\"1";
    let version = good.windows(key.len()).position(|window| window == key).unwrap() + key.len() - 1;
    let mut newer = good.clone();
    newer[version] = b'2';
    add(3, &newer);

    for (step, kind) in [("1", ErrorKind::Corrupt), ("2", ErrorKind::Corrupt), ("3", ErrorKind::TooNew)] {
        assert_eq!(tracker.restore(step).unwrap_err().kind(), kind, "{step}");
    }
    assert_eq!(model.get("fc.weight"), [0.5, -0.25]);
    experiment.stop().unwrap();
}

#[test]
fn a_file_that_varmap_saved_can_be_restored() {
    let folder = Folder::new();
    let experiment = folder.start();
    let path = folder.path().join("varmap.safetensors");
    Tiny::new().variables.save(&path).unwrap();
    let checkpoints = experiment.checkpoints("checkpoints").unwrap();
    checkpoints.add_file(40, MODEL, ArtifactSource::Path(&path)).unwrap();
    checkpoints.complete(40, None).unwrap();

    let model = Tiny::with_inputs(2);
    let tracker = Tracker::new(&experiment, &model.variables);
    assert_eq!(tracker.restore("latest").unwrap().unwrap().step, 40);
    assert_eq!(model.get("fc.weight"), [0.5, -0.25]);
    experiment.stop().unwrap();
}

#[test]
fn a_name_that_the_format_reserves_is_refused_and_leaves_no_version() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tracker = Tracker::new(&experiment, &Tiny::new().variables);
    let extra = HashMap::from([("__metadata__".to_owned(), scalar(1.0))]);
    assert_eq!(tracker.checkpoint_with(None, extra).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(tracker.restore("latest").unwrap().is_none());
    experiment.stop().unwrap();
}
