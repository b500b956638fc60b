//! What an evaluation measures is logged.

use burn::train::{
    EvaluatorBuilder, EvaluatorComponentTypesMarker,
    metric::{AccuracyMetric, LossMetric},
};
use neptune_burn::{NeptuneEvaluation as _, NeptuneRenderer, QuietRenderer};
use neptune_core::AtomValue;

use crate::setup::{Folder, Model, device, has, loader, points, values};

type Evaluator = EvaluatorBuilder<EvaluatorComponentTypesMarker<Model>>;

#[test]
fn every_test_has_its_series_and_its_means() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let renderer = NeptuneRenderer::new(&experiment, Box::new(QuietRenderer));
    let evaluator = Evaluator::new(folder.burn())
        .with_application_logger(None)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .renderer(Box::new(renderer))
        .build(Model::new(&device()));
    let result = evaluator.eval_all([("Held Out", loader(0, 20)), ("another", loader(20, 8))]);
    assert!(result.error.is_none());

    let losses = points(&experiment, "test/held_out/loss");
    assert_eq!(losses.iter().map(|&(step, _)| step).collect::<Vec<_>>(), [1, 2, 3]);
    let mean_is = |metric: &str, expected: f64| {
        let atom = experiment.atom(&format!("test/held_out/mean/{metric}"));
        let AtomValue::Float(logged) = atom.read().unwrap() else { panic!() };
        assert!((logged - expected).abs() < 1e-9, "{metric}: {logged} is not {expected}");
    };
    // 8, 8 and 4 images; burn counts a loss, which is a mean already, once for each batch.
    let accuracies = values(&experiment, "test/held_out/accuracy");
    mean_is("accuracy", (accuracies[0] * 8.0 + accuracies[1] * 8.0 + accuracies[2] * 4.0) / 20.0);
    mean_is("loss", (losses[0].1 + losses[1].1 + losses[2].1) / 3.0);
    assert_eq!(values(&experiment, "test/another/accuracy").len(), 1);
    assert_eq!(experiment.atom("evaluation/test").read().unwrap(), AtomValue::String("another".into()));
    assert_eq!(experiment.atom("evaluation/items").read().unwrap(), AtomValue::Int(8));
    experiment.stop().unwrap();
}

#[test]
fn one_line_attaches_an_evaluation() {
    let folder = Folder::new();
    let experiment = folder.experiment();
    let evaluator = Evaluator::new(folder.burn())
        .metrics((LossMetric::new(),))
        .with_neptune(&experiment)
        .build(Model::new(&device()));
    evaluator.eval("held out", loader(0, 8));
    assert!(has(&experiment, "test/held_out/mean/loss"));
    assert!(!tracing::dispatcher::has_been_set());
    experiment.stop().unwrap();
}
