use super::Shape;

/// The type names, each under its own spelling first: the same as those of a schema that is read
/// from a value, and Rust's own.
const NAMES: [(&str, &[&str]); 9] = [
    ("str", &["String", "string", "text"]),
    (
        "int",
        &[
            "integer", "i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64", "usize",
        ],
    ),
    ("float", &["double", "f32", "f64"]),
    ("number", &[]),
    ("bool", &["boolean"]),
    ("any", &["Value"]),
    ("null", &["none", "None"]),
    ("object", &["dict"]),
    ("list", &["array"]),
];

/// The list of names, for messages.
pub(super) const LISTED: &str =
    "`str`, `int`, `float`, `number`, `bool`, `any`, `null`, `object` and `list`";

/// The shape of this name.
pub(super) fn named(name: &str) -> Option<Shape> {
    let (own, _) = NAMES
        .iter()
        .find(|(own, others)| *own == name || others.contains(&name))?;
    Some(match *own {
        "str" => Shape::Leaf("Str"),
        "int" => Shape::Leaf("Int"),
        "float" => Shape::Leaf("Float"),
        "number" => Shape::Leaf("Number"),
        "bool" => Shape::Leaf("Bool"),
        "null" => Shape::Leaf("Null"),
        "object" => Shape::Object(Vec::new()),
        "list" => Shape::List(None),
        _ => Shape::Leaf("Any"),
    })
}

/// The own spelling of the name that was probably meant.
pub(super) fn meant(written: &str) -> Option<&'static str> {
    let written = written.to_ascii_lowercase();
    NAMES
        .iter()
        .flat_map(|(own, others)| {
            let names = std::iter::once(own).chain(others.iter());
            names.map(|name| {
                (
                    distance(&written, &name.to_ascii_lowercase()),
                    *own,
                    name.len(),
                )
            })
        })
        .filter(|(distance, _, len)| *distance <= if *len > 4 { 2 } else { 1 })
        .min_by_key(|(distance, _, _)| *distance)
        .map(|(_, own, _)| own)
}

/// How many letters must be added, dropped, changed or swapped to make `a` of `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    // Three rows of the usual table: the one being filled and the two before it.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, letter) in a.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let mut best = at(&last, column) + usize::from(letter != *other);
            best = best.min(at(&last, column + 1).saturating_add(1));
            best = best.min(at(&current, column).saturating_add(1));
            let swapped = column > 0
                && previous == Some(*other)
                && b.get(column - 1).copied() == Some(letter);
            if swapped {
                best = best.min(at(&before, column - 1).saturating_add(1));
            }
            current.push(best);
        }
        before = std::mem::replace(&mut last, current);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or_default()
}
