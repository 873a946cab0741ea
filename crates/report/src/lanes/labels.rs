//! Labels over boxes of one row: one wording for all of them, none over another.

/// Returns where the middle of each label is, and what it says: the first
/// wording that is about as wide as its box, or less, over every box; if none is,
/// the last wording over as many boxes as have room for it, from the left.
///
/// Each wording has a text for each box. A label is centred over its box, and
/// moves only so far that it stays within the `bounds`.
pub(super) fn placed(
    boxes: &[(f64, f64)],
    wordings: &[Vec<String>],
    bounds: (f64, f64),
    width_of: impl Fn(&str) -> f64,
) -> Vec<(f64, String)> {
    let in_row = |wording: &Vec<String>| {
        let mut row: Vec<(f64, String)> = Vec::new();
        let mut taken = f64::NEG_INFINITY;
        for (&(from, to), says) in boxes.iter().zip(wording) {
            let half = width_of(says) / 2.0;
            let middle = f64::midpoint(from, to).min(bounds.1 - half).max(bounds.0 + half);
            if middle - half >= taken {
                taken = middle + half + 6.0;
                row.push((middle, says.clone()));
            }
        }
        row
    };
    // What is wider than its box may be taken for a part of what is beside it.
    let fits = |wording: &&Vec<String>| {
        boxes.iter().zip(*wording).all(|((from, to), says)| width_of(says) <= to - from + SLACK)
    };
    let mut row = Vec::new();
    for wording in wordings.iter().filter(fits).chain(wordings.last()) {
        row = in_row(wording);
        if row.len() == boxes.len() {
            break;
        }
    }
    row
}

/// By how much a label may be wider than its box, in pixels.
const SLACK: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(boxes: &[(f64, f64)], wordings: &[&str]) -> Vec<(f64, String)> {
        let wordings: Vec<Vec<String>> =
            wordings.iter().map(|says| vec![(*says).to_owned(); boxes.len()]).collect();
        placed(boxes, &wordings, (0.0, 100.0), |says| says.len() as f64 * 10.0)
    }

    #[test]
    fn all_boxes_have_the_same_wording() {
        let wide = [(10.0, 40.0), (60.0, 90.0)];
        assert_eq!(row(&wide, &["long", "s"]), [(25.0, "long".into()), (75.0, "long".into())]);
        let near = [(10.0, 30.0), (40.0, 60.0)];
        assert_eq!(row(&near, &["long", "s"]), [(20.0, "s".into()), (50.0, "s".into())]);
        // There is room between the boxes, and yet it would be wider than they are.
        let narrow = [(10.0, 25.0), (60.0, 75.0)];
        assert_eq!(row(&narrow, &["long", "s"]), [(17.5, "s".into()), (67.5, "s".into())]);
    }

    #[test]
    fn a_label_stays_within_the_bounds_and_is_left_out_where_it_has_no_room() {
        assert_eq!(row(&[(90.0, 100.0)], &["long"]), [(80.0, "long".into())]);
        assert_eq!(row(&[(10.0, 12.0), (13.0, 15.0)], &["s"]), [(11.0, "s".into())]);
    }
}
