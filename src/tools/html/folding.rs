//! How much of a big profile a page holds.

/// What is shown of a list.
pub(super) struct Folding {
    /// By item: is it shown?
    shown: Vec<bool>,
    /// No item that is not shown has a greater share.
    pub(super) percent: f64,
}

impl Folding {
    /// Shows what has a share of at least `min_percent` / 100, but no more than `most` items: those of the greatest
    /// share and, where they are equal, those that come first.
    pub(super) fn new(shares: &[f64], min_percent: f64, most: usize) -> Self {
        let wanted = min_percent / 100.0;
        let mut shown: Vec<bool> = shares.iter().map(|share| *share >= wanted).collect();
        let mut kept: Vec<f64> = shares.iter().copied().filter(|share| *share >= wanted).collect();
        if kept.len() <= most {
            return Folding { shown, percent: min_percent };
        }
        let (greater, &mut cut, _) = kept.select_nth_unstable_by(most, |a, b| b.total_cmp(a));
        let mut room_for_equals = most - greater.iter().filter(|share| **share > cut).count();
        for (shown, share) in shown.iter_mut().zip(shares).filter(|(_, share)| **share <= cut) {
            *shown = *share == cut && room_for_equals > 0;
            room_for_equals -= usize::from(*shown);
        }
        Folding { shown, percent: cut * 100.0 }
    }

    /// Is the item at `index` shown?
    pub(super) fn shows(&self, index: usize) -> bool {
        self.shown.get(index) == Some(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_folded_only_where_too_much_would_be_shown() {
        let shares = [0.5, 0.1, 0.2, 0.1, 0.05];
        for (min_percent, most, expected, percent) in [
            (0.0, 5, "11111", 0.0),
            (10.0, 5, "11110", 10.0),
            (0.0, 4, "11110", 5.0),
            (0.0, 3, "11100", 10.0),
            (0.0, 2, "10100", 10.0),
            (30.0, 1, "10000", 30.0),
            (0.0, 0, "00000", 50.0),
        ] {
            let folding = Folding::new(&shares, min_percent, most);
            let shown: String = (0..shares.len()).map(|at| if folding.shows(at) { '1' } else { '0' }).collect();
            assert_eq!((shown.as_str(), folding.percent), (expected, percent), "{min_percent} {most}");
        }
    }
}
