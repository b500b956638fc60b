//! The cells of a page: the values of some experiments at some paths.
//!
//! Every cell is read once, in the order in which it lies in the store, whichever way the page is long.

use rusqlite::{CachedStatement, Connection};

use super::cell::{self, Cell};
use crate::error::{Error, ErrorKind, Result};

/// How many rows a scan reads in vain before it seeks the next row that is wanted. A seek costs about as much as
/// reading ten rows.
const PATIENCE: usize = 10;

/// A key of the store that is wanted, and the row or the column of the page that it stands for.
type Wanted = (i64, usize);

/// The cells of the experiments with ids `experiments` (rows) at the paths with ids `paths` (columns). A cell is `None`
/// where the experiment lacks the variable or the column has no path. `Invalid` when they hold more than `most_text` bytes of text.
pub(super) fn cells(
    connection: &Connection,
    experiments: &[i64],
    paths: &[Option<i64>],
    most_text: u64,
) -> Result<Vec<Vec<Option<Cell>>>> {
    let mut cells = vec![vec![None; paths.len()]; experiments.len()];
    let rows = sorted(experiments.iter().copied().enumerate());
    let columns = sorted(paths.iter().enumerate().filter_map(|(column, path)| Some((column, (*path)?))));
    let mut sets = Vec::new();
    let mut room = Room { most: most_text, left: most_text };
    let mut put = |row: usize, column: usize, cell: Cell| {
        match &cell {
            Cell::String(text) | Cell::Json(text) => room.take(text)?,
            Cell::Set(_) => sets.push((row, column)),
            _ => {}
        }
        cells[row][column] = Some(cell);
        Ok(())
    };
    // Along the longer side of the page, so that there are few scans.
    if rows.len() > columns.len() {
        let mut statement = connection.prepare_cached(
            "SELECT experiment_id, type, number, integer, text FROM variable \
             WHERE path_id = $1 AND experiment_id >= $2 ORDER BY experiment_id",
        )?;
        for (path, column) in columns {
            scan(&mut statement, path, &rows, |row, cell| put(row, column, cell))?;
        }
    } else {
        let mut statement = connection.prepare_cached(
            "SELECT path_id, type, number, integer, text FROM variable \
             WHERE experiment_id = $1 AND path_id >= $2 ORDER BY path_id",
        )?;
        for (experiment, row) in rows {
            scan(&mut statement, experiment, &columns, |column, cell| put(row, column, cell))?;
        }
    }
    if !sets.is_empty() {
        let mut statement = connection
            .prepare_cached("SELECT member FROM member WHERE experiment_id = $1 AND path_id = $2 ORDER BY member")?;
        for (row, column) in sets {
            let members = statement.query_map((experiments[row], paths[column]), |row| row.get::<_, String>(0))?;
            let members = members.map(|member| {
                let member = member?;
                room.take(&member)?;
                Ok(member)
            });
            cells[row][column] = Some(Cell::Set(members.collect::<Result<_>>()?));
        }
    }
    Ok(cells)
}

/// How many bytes of text there is room for.
struct Room {
    most: u64,
    left: u64,
}

impl Room {
    fn take(&mut self, text: &str) -> Result<()> {
        let Some(left) = self.left.checked_sub(text.len() as u64) else {
            let message = format!(
                "the cells of this page hold more than {} bytes of text; ask for fewer rows, or leave out the columns of long text",
                self.most
            );
            return Err(Error::new(ErrorKind::Invalid, message));
        };
        self.left = left;
        Ok(())
    }
}

fn sorted(keys: impl Iterator<Item = (usize, i64)>) -> Vec<Wanted> {
    let mut wanted: Vec<_> = keys.map(|(index, key)| (key, index)).collect();
    wanted.sort_unstable();
    wanted
}

/// Finds the `wanted` keys among the rows of `fixed`, which `statement` gives in the order of their keys.
fn scan(
    statement: &mut CachedStatement<'_>,
    fixed: i64,
    mut wanted: &[Wanted],
    mut found: impl FnMut(usize, Cell) -> Result<()>,
) -> Result<()> {
    'seek: while let Some(&(next, _)) = wanted.first() {
        let mut rows = statement.query((fixed, next))?;
        let mut in_vain = 0;
        while let Some(row) = rows.next()? {
            let key: i64 = row.get(0)?;
            // Those before have no row. The same key may be wanted more than once: two names can mean one path.
            let missing = wanted.iter().take_while(|(wanted, _)| *wanted < key).count();
            let hits = wanted[missing..].iter().take_while(|(wanted, _)| *wanted == key).count();
            let (hit, rest) = wanted[missing..].split_at(hits);
            wanted = rest;
            if hit.is_empty() {
                in_vain += 1;
                if in_vain > PATIENCE {
                    continue 'seek;
                }
                continue;
            }
            in_vain = 0;
            if let Some(cell) = cell::read(row, 1)? {
                for (_, index) in hit {
                    found(*index, cell.clone())?;
                }
            }
            if rest.is_empty() {
                return Ok(());
            }
        }
        break;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        super::sample::{Held, Sample},
        *,
    };

    /// Experiment `e` has a value at path `p` in most places of a pattern with short and long gaps.
    fn has(experiment: usize, path: usize) -> bool {
        experiment % 7 != path % 3 && (path / 20) % 2 == (experiment / 15) % 2
    }

    #[test]
    fn every_cell_is_found_whichever_way_the_page_is_long() {
        let mut sample = Sample::new();
        let names: Vec<_> = (0..100).map(|path| format!("p{path}")).collect();
        let paths: Vec<_> = names.iter().map(|name| sample.path(name)).collect();
        let experiments: Vec<_> = (0..100)
            .map(|experiment| {
                let id = sample.experiment(1, &[]);
                for path in (0..100).filter(|path| has(experiment, *path)) {
                    sample.put(id, &names[path], &Held::Atom((experiment * 1000 + path).into()));
                }
                id
            })
            .collect();
        for (rows, columns) in [
            ((0..100).collect::<Vec<_>>(), (0..100).rev().collect::<Vec<_>>()),
            (vec![99, 0, 31], (0..100).collect()),
            ((0..100).collect(), vec![99, 0, 31]),
            (vec![5], vec![90]),
            ((0..100).step_by(33).collect(), vec![2, 2, 2]),
            (vec![40, 41], vec![40, 99, 40, 40]),
            (Vec::new(), vec![1]),
            (vec![1], Vec::new()),
        ] {
            let wanted: Vec<_> = rows.iter().map(|row| experiments[*row]).collect();
            let mut asked: Vec<_> = columns.iter().map(|column| Some(paths[*column])).collect();
            asked.push(None);
            let found = cells(&sample.store.connection, &wanted, &asked, u64::MAX).unwrap();
            assert_eq!(found.len(), rows.len());
            for (row, cells) in rows.iter().zip(found) {
                for (column, cell) in columns.iter().zip(&cells) {
                    let expected = has(*row, *column).then(|| Cell::Int(i64::try_from(row * 1000 + column).unwrap()));
                    assert_eq!(*cell, expected, "row {row}, column {column}");
                }
                assert_eq!(cells.len(), columns.len() + 1);
                assert_eq!(cells.last(), Some(&None));
            }
        }
    }
}
