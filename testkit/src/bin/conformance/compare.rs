use crate::case::{Case, Event};
use crate::run::Outcome;

/// What is not as expected, in words; empty if all is.
pub(crate) fn differences(case: &Case, outcome: &Outcome) -> Vec<String> {
    let mut differences = Vec::new();
    let (expected, seen) = (&case.expect.events, &outcome.events);
    for index in 0..expected.len().max(seen.len()) {
        let (expected, seen) = (expected.get(index), seen.get(index));
        if expected != seen {
            differences.push(format!(
                "event {index}:\n    expected {}\n    seen     {}",
                print(expected),
                print(seen)
            ));
        }
    }
    if let Some(data) = &case.expect.data {
        match &outcome.data {
            Ok(seen) if seen == data => {}
            Ok(seen) => {
                differences.push(format!("data:\n    expected {data}\n    seen     {seen}"));
            }
            Err(error) => differences.push(format!(
                "data:\n    expected {data}\n    seen     error: {}",
                error.message
            )),
        }
    }
    differences
}

fn print(event: Option<&Event>) -> String {
    event.map_or("nothing".to_owned(), |event| event.to_json().to_string())
}
