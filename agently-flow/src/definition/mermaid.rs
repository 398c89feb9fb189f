use std::fmt::Write as _;

use super::node::{Definition, NodeIdx, Op, Trigger};

/// How far an execution has come, by stage.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub(crate) passed: Vec<u64>,
    pub(crate) running: Vec<NodeIdx>,
    pub(crate) waiting: Vec<NodeIdx>,
}

/// The definition as a Mermaid flow chart; with what has run, if there is an execution.
pub(crate) fn mermaid(definition: &Definition, progress: Option<&Progress>) -> String {
    let mut chart = String::from("flowchart TD\n");
    for (index, node) in (0..).zip(&definition.nodes) {
        let (open, text, close) = match &node.op {
            Op::Start => ("([", "start".to_owned(), "])"),
            Op::When(triggers) => {
                let triggers: Vec<_> = triggers.iter().map(Trigger::describe).collect();
                ("([", format!("when {}", triggers.join(" or ")), "])")
            }
            Op::WhenAll(join) => {
                let slots = definition.joins.get(*join as usize);
                let slots = slots
                    .map(|join| join.slots.join(" and "))
                    .unwrap_or_default();
                ("([", format!("when {slots}"), "])")
            }
            Op::Chunk(..) => ("[", node.name.to_string(), "]"),
            Op::ForEach { .. } => ("[/", "for each".to_owned(), "/]"),
            Op::Batch { .. } => ("[/", "batch".to_owned(), "/]"),
            Op::Branch { is_match: true, .. } => ("{", "match".to_owned(), "}"),
            Op::Branch { .. } => ("{", "if".to_owned(), "}"),
            Op::End => ("((", "end".to_owned(), "))"),
            Op::Pass => ("((", " ".to_owned(), "))"),
            Op::Collect { join, slot } => {
                let join = definition.joins.get(*join as usize);
                let name = join
                    .and_then(|join| join.name.as_deref())
                    .unwrap_or_default();
                let slot = join.and_then(|join| join.slots.get(*slot as usize));
                let slot = slot.map(String::as_str).unwrap_or_default();
                ("[(", format!("collect {name}: {slot}"), ")]")
            }
            Op::SubFlow(child) => ("[[", child.flow.name().to_owned(), "]]"),
            Op::InterventionPoint(target) => (">", format!("intervention {target}"), "]"),
        };
        let mut text = text.replace('"', "#quot;");
        let passed = progress.and_then(|progress| progress.passed.get(index as usize));
        if let Some(times) = passed.filter(|times| **times > 1) {
            // Writing to a `String` cannot fail.
            let _ = write!(text, " ({times}×)");
        }
        line(
            &mut chart,
            format_args!("    n{index}{open}\"{text}\"{close}"),
        );
    }
    for (index, node) in (0..).zip(&definition.nodes) {
        edges(&mut chart, definition, index, &node.op, &node.next);
    }
    if let Some(progress) = progress {
        classes(&mut chart, progress);
    }
    chart
}

/// Colours what ran, what runs and what waits.
fn classes(chart: &mut String, progress: &Progress) {
    for (class, style) in [
        ("ran", "fill:#d5f5e3,stroke:#1e8449"),
        ("running", "fill:#d6eaf8,stroke:#2874a6"),
        ("waiting", "fill:#fcf3cf,stroke:#b7950b"),
    ] {
        line(chart, format_args!("    classDef {class} {style}"));
    }
    for (index, times) in (0..).zip(&progress.passed) {
        let class = if progress.waiting.contains(&index) {
            "waiting"
        } else if progress.running.contains(&index) {
            "running"
        } else if *times > 0 {
            "ran"
        } else {
            continue;
        };
        line(chart, format_args!("    class n{index} {class}"));
    }
}

fn edges(chart: &mut String, definition: &Definition, index: u32, op: &Op, next: &[NodeIdx]) {
    match op {
        Op::ForEach { body, .. } => {
            line(chart, format_args!("    n{index} -->|each item| n{body}"));
        }
        Op::Batch { branches, .. } => {
            for (name, entry) in branches {
                line(chart, format_args!("    n{index} -->|{name}| n{entry}"));
            }
        }
        Op::Branch {
            cases, otherwise, ..
        } => {
            for (number, (condition, entry)) in (1..).zip(cases) {
                let name = condition
                    .name
                    .as_deref()
                    .map_or_else(|| format!("case {number}"), str::to_owned);
                line(chart, format_args!("    n{index} -->|{name}| n{entry}"));
            }
            line(chart, format_args!("    n{index} -->|else| n{otherwise}"));
        }
        _ => {
            for entry in next {
                let side = definition.node(*entry).is_some_and(|node| node.side);
                let arrow = if side { "-.->" } else { "-->" };
                line(chart, format_args!("    n{index} {arrow} n{entry}"));
            }
        }
    }
}

fn line(chart: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(chart, "{text}");
}
