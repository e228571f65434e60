//! Which statement did "(eval 123)" come from?
//!
//! perl numbers string evals; each gets a file name of its own, which would make a new place of every run of the same
//! eval. They fold by the statement that holds the eval: `(eval)[run.pl:12]`; an eval within an eval by the outermost.

use crate::format::ids::StrId;

/// A run of evals, one after the other, from the same statement.
struct Run {
    /// Number of the first.
    first: u32,
    /// The folded file name.
    name: StrId,
}

/// Runs remembered at most; the oldest half is given up then, and evals of theirs met for the first time afterwards are
/// plain `(eval)`.
const MOST_RUNS: usize = 1 << 17;

/// The evals so far.
#[derive(Default)]
pub struct EvalOrigins {
    runs: Vec<Run>,
}

impl EvalOrigins {
    /// The eval of number `number` is about to be compiled; its code goes by `name`.
    pub fn note(&mut self, number: u32, name: StrId) {
        if self.runs.last().is_some_and(|run| run.name == name && run.first <= number) {
            return;
        }
        if self.runs.len() >= MOST_RUNS {
            self.runs.drain(..MOST_RUNS / 2);
        }
        // Numbers only go back when perl's counter wraps; what came before is then out of date.
        if self.runs.last().is_some_and(|run| run.first > number) {
            self.runs.clear();
        }
        self.runs.push(Run { first: number, name });
    }

    /// The folded name of the file `file`, if it is a string eval's whose origin is known.
    pub fn name_of(&self, file: &[u8]) -> Option<StrId> {
        let number = eval_number(file)?;
        let after = self.runs.partition_point(|run| run.first <= number);
        self.runs.get(after.checked_sub(1)?).map(|run| run.name)
    }
}

/// The N of `(eval N)`.
pub fn eval_number(file: &[u8]) -> Option<u32> {
    let digits = file.strip_prefix(b"(eval ")?.strip_suffix(b")")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The folded name for an eval that stands in `file`, line `line`.
pub fn folded_name(file: &[u8], line: u32) -> Vec<u8> {
    if file.starts_with(b"(eval)") {
        return file.to_vec();
    }
    let mut name = b"(eval)[".to_vec();
    name.extend_from_slice(file);
    name.extend_from_slice(format!(":{line}]").as_bytes());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evals_from_one_statement_fold_into_one_run() {
        let mut origins = EvalOrigins::default();
        (1..=1000).for_each(|number| origins.note(number, StrId(7)));
        origins.note(1001, StrId(8));
        assert_eq!(origins.runs.len(), 2);
        assert_eq!(origins.name_of(b"(eval 1)"), Some(StrId(7)));
        assert_eq!(origins.name_of(b"(eval 1000)"), Some(StrId(7)));
        assert_eq!(origins.name_of(b"(eval 1001)"), Some(StrId(8)));
        assert_eq!(origins.name_of(b"(eval 0)"), None);
        assert_eq!(origins.name_of(b"run.pl"), None);
    }

    #[test]
    fn an_eval_within_an_eval_goes_by_the_outermost() {
        assert_eq!(folded_name(b"run.pl", 3), b"(eval)[run.pl:3]");
        assert_eq!(folded_name(b"(eval)[run.pl:3]", 9), b"(eval)[run.pl:3]");
    }
}
