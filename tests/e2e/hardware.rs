//! The hardware is read while an experiment runs, and what cannot be read hurts nobody.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use neptune_core::{
    AtomValue, HardwareUtilization,
    store::{Values, read::VariableValue},
};
use neptune_tests::{Folder, Trainer, pause};

/// A process whose hardware is read, and what it sees of GPUs.
struct Watched {
    folder: Folder,
    trainer: Trainer,
    faults: PathBuf,
}

/// What was read: series and atoms, by their paths within the namespace of the only writer.
#[derive(Debug, Default)]
struct Found {
    series: BTreeMap<String, (Vec<i64>, Vec<f64>)>,
    atoms: BTreeMap<String, AtomValue>,
}

impl Found {
    fn of(folder: &Folder) -> Self {
        let mut found = Self::default();
        let (store, key) = (folder.store(), folder.only_experiment());
        for variable in store.variables(&key, "monitoring/").unwrap() {
            let name = variable.path.splitn(3, '/').nth(2).unwrap().to_owned();
            if let VariableValue::Atom(value) = variable.value {
                found.atoms.insert(name, value);
            } else {
                let points = folder.series(&variable.path);
                let Values::Float(values) = points.values else { panic!("{name} is text") };
                found.series.insert(name, (points.times, values));
            }
        }
        found
    }

    fn values(&self, name: &str) -> &[f64] {
        self.series.get(name).map_or(&[], |(_, values)| values)
    }

    /// Every value of a series, when they are all the same.
    fn only(&self, name: &str) -> Option<f64> {
        let values = self.values(name);
        values.iter().all(|value| *value == values[0]).then(|| values.first().copied()).flatten()
    }

    fn text(&self, name: &str) -> &str {
        self.atoms.get(name).and_then(AtomValue::as_str).unwrap_or_default()
    }
}

impl Watched {
    /// Starts a process with a driver's library of two GPUs that has these faults.
    fn with_fake(faults: &str) -> Self {
        let folder = Folder::new();
        let aside = folder.path().parent().unwrap();
        let library = aside.join("libnvidia-ml.so.1");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/nvml/fake.c");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap();
        assert!(compiled.success(), "the stand-in for the driver's library compiles");
        Self::start(folder, "idle", faults, Some(library.as_os_str()))
    }

    fn start(folder: Folder, occupation: &str, faults: &str, library: Option<&OsStr>) -> Self {
        let words = folder.path().with_extension("faults");
        fs::write(&words, faults).unwrap();
        let arguments = [folder.path().as_os_str(), OsStr::new(occupation)];
        let environment = [
            ("NEPTUNE_FAKE_NVML", words.as_os_str()),
            ("NEPTUNE_NVML_LIBRARY", library.unwrap_or_default()),
            // What it prints is kept beside the readings.
            ("NEPTUNE_CONSOLE", OsStr::new("off")),
        ];
        let mut trainer = Trainer::start_with("hardware", arguments, environment);
        assert_eq!(trainer.line(), "started");
        Self { folder, trainer, faults: words }
    }

    /// Waits until the hardware was read so that `is_enough`.
    fn until(&self, is_enough: impl Fn(&Found) -> bool) {
        for _ in 0..400 {
            if is_enough(&Found::of(&self.folder)) {
                return;
            }
            pause(Duration::from_millis(50));
        }
        panic!("it did not come to that: {:?}", Found::of(&self.folder));
    }

    /// Ends the process, and says how many milliseconds the end of the experiment took.
    fn end(mut self) -> (Folder, u64) {
        fs::write(self.folder.path().with_extension("enough"), "").unwrap();
        let took = self.trainer.line().parse().unwrap();
        assert!(self.trainer.wait().success());
        (self.folder, took)
    }

    /// Ends the process after some readings, and says what was found.
    fn found(self) -> Found {
        self.until(|found| found.values("cpu").len() >= 3);
        Found::of(&self.end().0)
    }

    fn calls(&self, call: &str) -> u64 {
        fs::metadata(self.faults.with_extension(format!("faults.{call}"))).map_or(0, |file| file.len())
    }
}

#[test]
fn the_readings_of_the_machine_are_plausible_and_at_one_time() {
    let watched = Watched::start(Folder::new(), "work", "", None);
    // What else runs on this machine may leave it less than a processor for a while.
    watched.until(|found| found.values("process/cpu").iter().any(|percent| *percent > 50.0));
    let found = watched.found();
    let expected = ["cpu", "disk/free", "network/received", "network/sent", "process/cpu", "process/ram", "ram"];
    for name in expected {
        assert!(found.series.contains_key(name), "{name} is missing: {found:?}");
    }
    let times = &found.series["cpu"].0;
    for (name, (of_this, values)) in found.series.iter().filter(|(name, _)| !name.starts_with("gpu")) {
        assert_eq!(of_this, times, "{name} was read when the others were");
        assert!(values.iter().all(|value| *value >= 0.0), "{name}: {values:?}");
    }
    let busiest = found.values("process/cpu").iter().copied().fold(0.0, f64::max);
    let processors = found.atoms["cpus"].as_i64().unwrap() as f64;
    assert!(busiest < 110.0 * processors, "{busiest} % of a processor");
    assert!(found.values("cpu").iter().all(|percent| *percent <= 100.0));
    assert!(found.values("cpu").iter().any(|percent| *percent > 100.0 * 0.4 / processors), "one processor works");
    let total = found.atoms["ram_total"].as_f64().unwrap();
    assert!(found.values("ram").iter().all(|used| *used > 0.0 && *used < total), "{found:?}");
    assert!(found.values("process/ram").iter().all(|used| *used > 0.001 && *used < 0.15));
    assert!(found.values("disk/free")[0] > 0.0);
    assert!(!found.text("hostname").is_empty());
}

#[test]
fn memory_that_the_process_holds_is_seen() {
    let found = Watched::start(Folder::new(), "hold", "", None).found();
    assert!(found.values("process/ram").iter().all(|used| (0.2..0.35).contains(used)), "{found:?}");
}

#[test]
fn a_short_experiment_has_no_readings_and_its_end_leaves_no_thread() {
    let folder = Folder::new();
    let session = folder.session();
    let threads = || {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
        names.filter(|name| name.starts_with("neptune:hardwar")).count()
    };
    let without = session.experiment().without_hardware().start().unwrap();
    assert_eq!(threads(), 0);
    without.stop().unwrap();
    let experiment = session.experiment().start().unwrap();
    // A thread takes its name when it first runs.
    for _ in 0..100 {
        if threads() == 0 {
            pause(Duration::from_millis(2));
        }
    }
    assert_eq!(threads(), 1);
    // Not yet a second.
    pause(Duration::from_millis(400));
    let handle = experiment.handle();
    experiment.stop().unwrap();
    for _ in 0..100 {
        if threads() > 0 {
            pause(Duration::from_millis(10));
        }
    }
    assert_eq!(threads(), 0, "although there still is a handle");
    assert!(!handle.namespace_contents("").unwrap().contains_key("monitoring"));
    assert!(handle.hardware_utilization().unwrap().is_empty());
}

#[test]
fn the_environment_says_how_often_and_is_understood_or_refused() {
    let folder = Folder::new();
    let say = |setting: &str| {
        let environment = [("NEPTUNE_DIR", folder.path().as_os_str()), ("NEPTUNE_HARDWARE", OsStr::new(setting))];
        Trainer::start_with("from-env", [] as [&str; 0], environment).line()
    };
    for setting in ["off", "30", "0.5", ""] {
        assert!(say(setting).starts_with("local/default "), "{setting}");
    }
    for setting in ["often", "-1", "nan"] {
        assert_eq!(
            say(setting),
            format!("error: NEPTUNE_HARDWARE is {setting:?}; it is a number of seconds, such as 3, or off")
        );
    }
}

#[test]
fn the_readings_of_gpus_are_what_the_driver_tells() {
    let found = Watched::with_fake("").found();
    let expected = [
        ("gpu_0/utilization", 97.0),
        ("gpu_1/utilization", 57.0),
        ("gpu_0/memory", 12.345),
        ("gpu_1/memory", 13.345),
        ("gpu_0/power", 321.5),
        ("gpu_1/power", 321.5),
        ("gpu_0/temperature", 61.0),
        ("gpu_1/temperature", 62.0),
        ("gpu_0/process_memory", 2.5),
    ];
    let of_gpus: Vec<&str> = found.series.keys().map(String::as_str).filter(|name| name.starts_with("gpu")).collect();
    assert_eq!(of_gpus.len(), expected.len(), "{of_gpus:?}");
    for (name, value) in expected {
        assert_eq!(found.only(name), Some(value), "{name}");
        assert_eq!(found.series[name].0, found.series["cpu"].0, "{name} was read with the others");
    }
    assert_eq!(found.text("gpu_state"), "ok");
    assert_eq!(found.text("gpu_driver"), "550.54.15");
    assert_eq!(found.text("gpu_1/name"), "Fake GPU 1");
    assert_eq!(found.atoms["gpu_0/memory_total"], AtomValue::Float(80.0));
}

#[test]
fn what_the_driver_refuses_is_said_once_and_not_asked_for_again() {
    let watched = Watched::with_fake("no-power\nno-temperature\n");
    watched.until(|found| found.values("gpu_0/utilization").len() >= 3);
    assert_eq!(watched.calls("power-0"), 1, "it was asked for once");
    let found = watched.found();
    assert_eq!(
        found.text("gpu_state"),
        "not permitted to read power of GPU 0; GPU 1 or its driver does not tell temperature"
    );
    assert!(found.values("gpu_0/power").is_empty());
    assert!(found.values("gpu_1/temperature").is_empty());
    assert_eq!(found.only("gpu_1/power"), Some(321.5));
    assert_eq!(found.only("gpu_0/temperature"), Some(61.0));
    assert_eq!(found.values("gpu_1/utilization").len(), found.values("cpu").len());
}

#[test]
fn a_gpu_that_is_lost_in_the_middle_is_left_alone_and_the_others_go_on() {
    let watched = Watched::with_fake("");
    watched.until(|found| found.values("gpu_1/utilization").len() >= 2);
    fs::write(&watched.faults, "lost-1\n").unwrap();
    watched.until(|found| found.text("gpu_state") == "GPU 1 is lost");
    let (asked, read) = (watched.calls("handle-1"), Found::of(&watched.folder));
    watched.until(|found| found.values("gpu_0/utilization").len() >= read.values("gpu_0/utilization").len() + 3);
    assert_eq!(watched.calls("handle-1"), asked, "the lost one is not touched again");
    let found = watched.found();
    assert_eq!(found.text("gpu_state"), "GPU 1 is lost");
    assert_eq!(found.values("gpu_1/utilization").len(), read.values("gpu_1/utilization").len());
    assert_eq!(found.values("gpu_0/power").len(), found.values("cpu").len());
}

#[test]
fn a_machine_without_a_gpu_says_so_and_is_read_otherwise() {
    for (faults, state) in [("no-driver\n", "the NVIDIA driver is not loaded"), ("no-device\n", "no NVIDIA GPU")] {
        let found = Watched::with_fake(faults).found();
        assert_eq!(found.text("gpu_state"), state);
        assert!(!found.series.keys().any(|name| name.starts_with("gpu")), "{found:?}");
        assert!(found.values("cpu").len() >= 3);
    }
    let folder = Folder::new();
    let missing = folder.path().with_extension("missing");
    let found = Watched::start(folder, "idle", "", Some(missing.as_os_str())).found();
    assert!(found.text("gpu_state").starts_with("NEPTUNE_NVML_LIBRARY cannot be loaded: "), "{found:?}");
}

#[test]
fn the_library_that_is_on_this_machine_is_read() {
    let found = Watched::start(Folder::new(), "idle", "", None).found();
    if found.text("gpu_state") == "no NVIDIA driver" {
        assert!(!found.series.keys().any(|name| name.starts_with("gpu")));
        return;
    }
    if let Some(AtomValue::String(name)) = found.atoms.get("gpu_0/name") {
        assert!(!name.is_empty());
        let total = found.atoms["gpu_0/memory_total"].as_f64().unwrap();
        assert!(found.values("gpu_0/memory").iter().all(|used| (0.0..=total).contains(used)), "{found:?}");
        assert!(found.values("gpu_0/utilization").iter().all(|percent| (0.0..=100.0).contains(percent)), "{found:?}");
    }
}

#[test]
fn a_driver_that_hangs_does_not_keep_the_experiment_from_ending() {
    let watched = Watched::with_fake("");
    watched.until(|found| found.values("gpu_1/utilization").len() >= 2);
    fs::write(&watched.faults, "hang\n").unwrap();
    watched.until(|_| watched.calls("hang") > 0);
    let (folder, took) = watched.end();
    assert!((900..5_000).contains(&took), "the end took {took} ms");
    assert_eq!(Found::of(&folder).text("gpu_state"), "the NVIDIA driver does not answer");
    assert_eq!(folder.text("sys/state"), "succeeded");
    assert!(folder.store().lost(&folder.only_experiment()).unwrap().is_empty(), "and nothing is logged behind the end");
}

#[test]
fn an_end_brings_a_last_reading_and_is_prompt() {
    let watched = Watched::with_fake("");
    watched.until(|found| !found.values("gpu_1/utilization").is_empty());
    let (_, took) = watched.end();
    assert!(took < 900, "the end took {took} ms");

    // Every hour: the reading a second after the start, and the last one.
    let folder = Folder::new();
    let experiment = folder.session().experiment().hardware_every(Duration::from_hours(1)).start().unwrap();
    let readings = || experiment.hardware_utilization().unwrap().len();
    for _ in 0..200 {
        if readings() == 0 {
            pause(Duration::from_millis(50));
        }
    }
    assert_eq!(readings(), 1);
    pause(Duration::from_millis(300));
    let handle = experiment.handle();
    experiment.stop().unwrap();
    assert_eq!(handle.hardware_utilization().unwrap().len(), 2);
}

#[test]
fn the_table_has_the_columns_of_the_seed_also_for_a_finished_experiment() {
    let watched = Watched::with_fake("");
    watched.until(|found| found.values("gpu_1/utilization").len() >= 2);
    fs::write(&watched.faults, "lost-1\n").unwrap();
    watched.until(|found| found.values("cpu").len() >= 5);
    let (folder, _) = watched.end();
    let found = Found::of(&folder);

    let reader = folder.session().attach("E2E-1").without_hardware().start().unwrap();
    let table: HardwareUtilization = reader.hardware_utilization().unwrap();
    reader.stop().unwrap();
    let names: Vec<&str> = table.columns().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "x_ram",
            "y_ram",
            "x_cpu",
            "y_cpu",
            "x_gpu_util_0",
            "y_gpu_util_0",
            "x_gpu_mem_0",
            "y_gpu_mem_0",
            "x_gpu_util_1",
            "y_gpu_util_1",
            "x_gpu_mem_1",
            "y_gpu_mem_1"
        ]
    );
    let column = |name: &str| table.column(name).unwrap();
    assert_eq!(column("y_ram"), found.values("ram"));
    assert_eq!(column("y_cpu"), found.values("cpu"));
    assert_eq!(column("y_gpu_mem_0"), found.values("gpu_0/memory"));
    assert_eq!(table.len(), found.values("cpu").len());
    assert!((200.0..4_000.0).contains(&column("x_ram")[0]), "milliseconds from the start: {table}");
    assert!(column("x_ram").windows(2).all(|pair| (200.0..4_000.0).contains(&(pair[1] - pair[0]))), "{table}");
    let lost = found.values("gpu_1/utilization").len();
    assert!(lost < table.len());
    for name in ["x_gpu_util_1", "y_gpu_util_1", "y_gpu_mem_1"] {
        assert!(column(name)[..lost].iter().all(|value| value.is_finite()), "{table}");
        assert!(column(name)[lost..].iter().all(|value| value.is_nan()), "shorter columns are padded: {table}");
    }
}

#[test]
fn of_several_processes_the_table_has_one_at_a_time() {
    let folder = Folder::new();
    let session = folder.session();
    let fast = Duration::from_millis(250);
    let first = session.experiment().hardware_every(fast).start().unwrap();
    let until = |readings: usize| {
        for _ in 0..400 {
            if first.hardware_utilization().unwrap().len() >= readings {
                return;
            }
            pause(Duration::from_millis(50));
        }
        panic!("{}", first.hardware_utilization().unwrap());
    };
    until(1);
    // Beside the first, and beyond its end.
    let second = session.attach("E2E-1").hardware_every(fast).start().unwrap();
    until(6);
    let handle = second.handle();
    first.stop().unwrap();
    let alone = handle.hardware_utilization().unwrap();
    for _ in 0..400 {
        if handle.hardware_utilization().unwrap().len() < alone.len() + 3 {
            pause(Duration::from_millis(50));
        }
    }
    second.stop().unwrap();
    let table = handle.hardware_utilization().unwrap();
    assert!(table.len() >= alone.len() + 3, "the second goes on where the first ended: {table}");
    let times = table.column("x_cpu").unwrap();
    assert!(times.windows(2).all(|pair| pair[1] > pair[0]), "{table}");
    let first_alone = table.column("x_cpu").unwrap()[..alone.len() - 1].windows(2);
    assert!(first_alone.into_iter().all(|pair| pair[1] - pair[0] > 200.0), "not two at once: {table}");
    assert_eq!(table.column("y_cpu").map(<[f64]>::len), table.column("x_ram").map(<[f64]>::len));
}
