//! [`HardwareUtilization`]: how busy the hardware was, as a table.

use std::{collections::BTreeMap, fmt};

use neptune_format::AtomValue;
use neptune_store::{
    Store, Table, Values,
    read::{ExperimentKey, VariableValue},
    table::Column,
};

use super::names;
use crate::error::Result;

/// How busy the processor, the memory and the GPUs were while an experiment ran. Made by
/// [`ExperimentHandle::hardware_utilization`](crate::ExperimentHandle::hardware_utilization).
///
/// Its columns are, in this order:
///
/// | column | meaning |
/// |---|---|
/// | `x_ram`, `y_ram` | memory in use, in GB (10^9 bytes) |
/// | `x_cpu`, `y_cpu` | utilization of the processors, in percent of the whole machine, 0 to 100 |
/// | `x_gpu_util_0`, `y_gpu_util_0` | utilization of the GPU, in percent, 0 to 100 |
/// | `x_gpu_mem_0`, `y_gpu_mem_0` | memory in use on the GPU, in GB |
/// | `x_gpu_util_1`, ... | the same for further GPUs |
///
/// Each `x` column is the time of the values beside it, in milliseconds since the experiment was made. Every column has as
/// many rows as the longest; where there is no value there is NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct HardwareUtilization {
    columns: Vec<(String, Vec<f64>)>,
    rows: usize,
}

impl HardwareUtilization {
    /// The columns with their names, in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, &[f64])> {
        self.columns.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        self.columns().find(|(column, _)| *column == name).map(|(_, values)| values)
    }

    /// How many rows it has.
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has no rows: the experiment was not read, or ended within its first second.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The same as a [`Table`], in which the values that pad a column are missing.
    pub fn to_table(&self) -> Table {
        let columns = self.columns.iter().map(|(name, values)| {
            let present = values.iter().map(|value| !value.is_nan()).collect();
            Column::new(name, values.clone()).present(present)
        });
        Table::new(columns).expect("every column has as many rows as the longest and a name of its own")
    }

    pub(crate) fn of(store: &Store, experiment: &ExperimentKey) -> Result<Self> {
        let mut tracks = Tracks::default();
        let mut writers = store.writers(experiment)?;
        writers.sort_by_key(|writer| writer.opened);
        for writer in writers {
            tracks.add(store, experiment, &names::namespace(writer.writer))?;
        }
        let began = match store.variable(experiment, "sys/creation_time")?.value {
            VariableValue::Atom(AtomValue::Datetime(time)) => time.as_micros(),
            _ => 0,
        };
        Ok(tracks.into_table(began))
    }
}

impl fmt::Display for HardwareUtilization {
    /// The names of the columns, and a row on each line; of a long table the first and the last five.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        let width = |name: &str| name.len().max(10) + 2;
        for (name, _) in self.columns() {
            write!(f, "{name:>0$}", width(name))?;
        }
        for row in 0..self.rows {
            if (SHOWN..self.rows.saturating_sub(SHOWN)).contains(&row) {
                if row == SHOWN {
                    write!(f, "\n  ... {} rows in all", self.rows)?;
                }
                continue;
            }
            writeln!(f)?;
            for (name, values) in self.columns() {
                let value = values.get(row).copied().unwrap_or(f64::NAN);
                write!(f, "{value:>0$.1$}", width(name), if name.starts_with('x') { 0 } else { 2 })?;
            }
        }
        Ok(())
    }
}

/// Which curve of the table: memory and processor first, then each GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Curve {
    Ram,
    Cpu,
    Gpu(u32, OfGpu),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum OfGpu {
    Utilization,
    Memory,
}

impl Curve {
    /// What is kept at `path`, within the namespace of a writer.
    fn at(path: &str) -> Option<Self> {
        match (path, names::gpu_of(path)) {
            (names::RAM, _) => Some(Self::Ram),
            (names::CPU, _) => Some(Self::Cpu),
            (_, Some((index, names::UTILIZATION))) => Some(Self::Gpu(index, OfGpu::Utilization)),
            (_, Some((index, names::MEMORY))) => Some(Self::Gpu(index, OfGpu::Memory)),
            _ => None,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Ram => "ram".to_owned(),
            Self::Cpu => "cpu".to_owned(),
            Self::Gpu(index, OfGpu::Utilization) => format!("gpu_util_{index}"),
            Self::Gpu(index, OfGpu::Memory) => format!("gpu_mem_{index}"),
        }
    }
}

/// The curves, as far as they are known.
#[derive(Debug)]
struct Tracks {
    curves: BTreeMap<Curve, Vec<(i64, f64)>>,
    /// When the writers before were last read.
    until: i64,
}

impl Default for Tracks {
    fn default() -> Self {
        Self { curves: BTreeMap::from([(Curve::Ram, Vec::new()), (Curve::Cpu, Vec::new())]), until: i64::MIN }
    }
}

impl Tracks {
    /// Adds what a writer read after the writers before it ended, so that the curves are of one machine at a time.
    fn add(&mut self, store: &Store, experiment: &ExperimentKey, namespace: &str) -> Result<()> {
        let within = format!("{namespace}/");
        let mut last = self.until;
        for variable in store.variables(experiment, &within)? {
            let Some(curve) = variable.path.strip_prefix(&within).and_then(Curve::at) else { continue };
            if !matches!(variable.value, VariableValue::Series(_)) {
                continue;
            }
            let points = store.series(experiment, &variable.path, f64::NEG_INFINITY..=f64::INFINITY)?;
            let Values::Float(values) = points.values else { continue };
            if let Curve::Gpu(index, _) = curve {
                // A GPU that does not tell one of the two has both columns all the same.
                self.curves.entry(Curve::Gpu(index, OfGpu::Utilization)).or_default();
                self.curves.entry(Curve::Gpu(index, OfGpu::Memory)).or_default();
            }
            let known = self.curves.entry(curve).or_default();
            let later = points.times.into_iter().zip(values).filter(|(time, _)| *time > self.until);
            known.extend(later);
            last = last.max(known.last().map_or(last, |(time, _)| *time));
        }
        self.until = last;
        Ok(())
    }

    /// The table, with times since `began`, in microseconds.
    fn into_table(self, began: i64) -> HardwareUtilization {
        let rows = self.curves.values().map(Vec::len).max().unwrap_or(0);
        let padded = |values: &mut dyn Iterator<Item = f64>| {
            let mut column: Vec<f64> = values.collect();
            column.resize(rows, f64::NAN);
            column
        };
        let mut columns = Vec::new();
        for (curve, points) in self.curves {
            let name = curve.name();
            let times = &mut points.iter().map(|(time, _)| (time - began) as f64 / 1e3);
            columns.push((format!("x_{name}"), padded(times)));
            columns.push((format!("y_{name}"), padded(&mut points.iter().map(|(_, value)| *value))));
        }
        HardwareUtilization { columns, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shorter_columns_are_padded_and_the_columns_are_in_order() {
        let mut tracks = Tracks::default();
        tracks.curves.insert(Curve::Gpu(10, OfGpu::Utilization), Vec::new());
        tracks.curves.insert(Curve::Gpu(2, OfGpu::Memory), vec![(2_000_000, 1.5)]);
        tracks.curves.insert(Curve::Cpu, vec![(2_000_000, 10.0), (5_000_500, 20.0)]);
        let table = tracks.into_table(1_000_000);
        let names: Vec<&str> = table.columns().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["x_ram", "y_ram", "x_cpu", "y_cpu", "x_gpu_mem_2", "y_gpu_mem_2", "x_gpu_util_10", "y_gpu_util_10"]
        );
        assert_eq!(table.len(), 2);
        assert_eq!(table.column("x_cpu"), Some(&[1000.0, 4000.5][..]));
        assert_eq!(table.column("y_cpu"), Some(&[10.0, 20.0][..]));
        let memory = table.column("y_gpu_mem_2").unwrap();
        assert!(memory[0].to_bits() == 1.5_f64.to_bits() && memory[1].is_nan());
        assert_eq!(table.column("y_gpu_mem_3"), None);
        let columns = table.to_table();
        assert!(columns.names().eq(names));
        let memory = columns.column("y_gpu_mem_2").unwrap();
        assert!(!memory.is_missing(0) && memory.is_missing(1));
    }

    #[test]
    fn a_long_table_shows_its_ends() {
        let mut tracks = Tracks::default();
        tracks.curves.insert(Curve::Ram, (0..100).map(|second| (second * 1_000_000, 16.7)).collect());
        let text = tracks.into_table(0).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 12, "{text}");
        assert_eq!(lines[1], "           0       16.70         NaN         NaN");
        assert_eq!(lines[6], "  ... 100 rows in all");
        assert!(lines[11].starts_with("       99000"));
    }
}
