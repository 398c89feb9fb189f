/// How many letters must be added, dropped, changed or swapped with a neighbour to make `a` of `b`.
///
/// Every swapped pair is counted once (optimal string alignment). Names are short, so the full
/// table is kept.
#[expect(
    clippy::indexing_slicing,
    reason = "row and column run over the table's own length"
)]
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for row in 0..=a.len() {
        for column in 0..=b.len() {
            table[row][column] = if row == 0 || column == 0 {
                row + column
            } else {
                let changed = usize::from(a[row - 1] != b[column - 1]);
                let mut best = (table[row - 1][column] + 1)
                    .min(table[row][column - 1] + 1)
                    .min(table[row - 1][column - 1] + changed);
                let swapped = row > 1
                    && column > 1
                    && a[row - 1] == b[column - 2]
                    && a[row - 2] == b[column - 1];
                if swapped {
                    best = best.min(table[row - 2][column - 2] + 1);
                }
                best
            };
        }
    }
    table[a.len()][b.len()]
}

/// The name that was probably meant, if one is at most `limit` letters away.
pub(crate) fn nearest<'a>(
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Option<&'a str> {
    // Nothing longer than any name plus the limit can match; this also bounds the table.
    if written.len() > 64 {
        return None;
    }
    names
        .into_iter()
        .map(|name| (distance(written, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
