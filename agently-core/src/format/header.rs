//! The header line of a section: `### name`, perhaps with a tag.

use super::layout::{FieldKind, Layout};

/// How many bytes a header line may have beyond the longest name.
const SLACK: usize = 200;

/// What a line, or its beginning, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The header of this field, which is read so.
    Header { field: usize, kind: FieldKind },
    /// It may still become one.
    Open,
    /// No header.
    No,
}

/// Judges the beginning of a line, or all of it without its line break if it is `whole`.
pub(super) fn judge(line: &str, whole: bool, layout: &Layout) -> Verdict {
    if line.len() > layout.longest_name() + SLACK {
        return Verdict::No;
    }
    let Some(rest) = line.strip_prefix("###") else {
        return if !whole && "###".starts_with(line) {
            Verdict::Open
        } else {
            Verdict::No
        };
    };
    let name = rest.trim_start_matches([' ', '\t']);
    if name.len() == rest.len() && !rest.is_empty() {
        return Verdict::No;
    }
    if !whole {
        let may = layout
            .fields()
            .iter()
            .any(|field| field.name.starts_with(name) || may_follow(name, &field.name));
        return if may { Verdict::Open } else { Verdict::No };
    }
    let name = name.trim_end();
    let fields = || layout.fields().iter().enumerate();
    if let Some((field, rule)) = fields().find(|(_, rule)| *rule.name == *name) {
        return Verdict::Header {
            field,
            kind: rule.kind.or_json(),
        };
    }
    fields()
        .find_map(|(field, rule)| {
            let tag = tag(name.strip_prefix(&*rule.name)?)?;
            let kind = rule.kind.tagged(tag);
            Some(Verdict::Header { field, kind })
        })
        .unwrap_or(Verdict::No)
}

/// What stands in the brackets behind a name; empty for a comment.
fn tag(behind: &str) -> Option<&str> {
    let behind = behind.trim();
    if let Some(inner) = behind.strip_prefix('[') {
        return inner
            .strip_suffix(']')
            .filter(|inner| !inner.contains([']', '[']));
    }
    (behind.starts_with("//") || (behind.starts_with("<!--") && behind.ends_with("-->")))
        .then_some("")
}

/// Whether what stands behind a name may become a tag.
fn may_follow(line: &str, name: &str) -> bool {
    let Some(behind) = line.strip_prefix(name) else {
        return false;
    };
    let behind = behind.trim_start();
    match behind.split_once(']') {
        Some((inner, after)) if inner.starts_with('[') => {
            return after.trim().is_empty() && !inner.contains("[[")
        }
        _ => {}
    }
    behind.is_empty()
        || behind.starts_with('[')
        || ["//", "<!--"]
            .iter()
            .any(|mark| behind.starts_with(mark) || mark.starts_with(behind))
}
