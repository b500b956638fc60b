//! What it takes to read what is stored: a long series, its overview, series side by side, a table of experiments.

use neptune_store::{ExperimentQuery, query::Direction};

use crate::{Report, median, millis, stored, time};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Runs of each measurement; the median counts.
const RUNS: usize = 9;

/// Measures all of them.
///
/// # Errors
/// When the stores cannot be made or read.
pub fn measure(report: &mut Report) -> Outcome {
    series(report)?;
    table(report)
}

fn series(report: &mut Report) -> Outcome {
    const POINTS: u32 = 1_000_000;
    let folder = tempfile::tempdir_in(".")?;
    let store = stored::fill_series(folder.path(), &["train/loss", "train/auc"], POINTS)?;
    let key = store.find("SER-1")?;
    let all = f64::NEG_INFINITY..=f64::INFINITY;
    let (mut reads, mut overviews, mut pairs) = (vec![], vec![], vec![]);
    for _ in 0..RUNS {
        let (took, points) = time(|| store.series(&key, "train/loss", all.clone()));
        assert_eq!(points?.len(), POINTS as usize);
        reads.push(millis(took));
        // A bucket draws two points, its minimum and its maximum.
        let (took, buckets) = time(|| store.overview(&key, "train/loss", all.clone(), 1_000));
        assert!(buckets?.len() > 500);
        overviews.push(millis(took));
        let (took, values) = time(|| store.aligned(&key, &["train/loss", "train/auc"], all.clone()));
        assert_eq!(values?.steps.len(), POINTS as usize);
        pairs.push(millis(took));
    }
    let (read, overview, pair) = (median(reads), median(overviews), median(pairs));
    report.bar("read a series of 1 million points", format!("{read:.1} ms"), String::new(), "<= 30 ms", read <= 30.0);
    report.bar("its overview of 2,000 points", format!("{overview:.2} ms"), String::new(), "<= 3 ms", overview <= 3.0);
    report.bar(
        "two series of 1 million points, side by side",
        format!("{pair:.1} ms"),
        format!("one of them {read:.1} ms"),
        "<= 100 ms",
        pair <= 100.0,
    );
    Ok(())
}

fn table(report: &mut Report) -> Outcome {
    let folder = tempfile::tempdir_in(".")?;
    let store = stored::fill_table(folder.path(), 10_000, 100)?;
    let columns: Vec<String> = (0..100).map(|column| format!("metrics/column{column:03}")).collect();
    let filter = "`metrics/column007`:float < 0.8 AND `metrics/column042`:float > 0.1";
    let query = |limit: Option<u64>| -> Outcome<ExperimentQuery> {
        let query = ExperimentQuery::default()
            .filter(filter.parse()?)
            .sort("metrics/column023", Direction::Ascending)
            .columns(columns.iter().map(String::as_str));
        Ok(match limit {
            Some(limit) => query.limit(limit),
            None => query,
        })
    };
    let (mut pages, mut tables, mut leaderboards) = (vec![], vec![], vec![]);
    for _ in 0..RUNS {
        let asked = query(Some(50))?;
        let (took, page) = time(|| store.experiments(&asked));
        assert_eq!(page?.rows.len(), 50);
        pages.push(millis(took));
        let asked = query(None)?;
        let (took, table) = time(|| store.experiments(&asked));
        assert!(table?.rows.len() > 5_000);
        tables.push(millis(took));
        let (took, leaderboard) = time(|| store.leaderboard(&asked));
        assert!(leaderboard?.len() > 5_000);
        leaderboards.push(millis(took));
    }
    let (page, table, leaderboard) = (median(pages), median(tables), median(leaderboards));
    report.bar(
        "table of 10,000 experiments x 100 columns, filtered and sorted: a page of 50",
        format!("{page:.1} ms"),
        String::new(),
        "<= 50 ms",
        page <= 50.0,
    );
    report.note(format!(
        "All 7,000 matching rows of that table with all 100 columns at once: {table:.0} ms; as a leaderboard, in columns of \
         Arrow: {leaderboard:.0} ms."
    ));
    Ok(())
}
