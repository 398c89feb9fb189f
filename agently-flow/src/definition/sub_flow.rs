use super::draft::{Attach, Draft};
use super::node::{Capture as From_, NodeIdx, Op, SubFlow, WriteBack as Out};
use crate::flow::TriggerFlow;
use crate::path::StatePath;

/// What a sub-flow gets from its parent.
///
/// Without further words, its input is the value before it and its state is empty.
///
/// ```
/// use agently_flow::Capture;
///
/// let capture = Capture::new()
///     .take("input", "input.question")
///     .take("state.language", "state.settings.language");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Capture(Vec<(String, String)>);

impl Capture {
    /// The value before it becomes its input.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the parent's `from` (`input`, `input.<path>`, `state.<path>`) where the child finds it
    /// as `to` (`input`, `state.<path>`).
    #[must_use]
    pub fn take(mut self, to: impl Into<String>, from: impl Into<String>) -> Self {
        self.0.push((to.into(), from.into()));
        self
    }
}

/// What a sub-flow gives back to its parent.
///
/// ```
/// use agently_flow::WriteBack;
///
/// let write_back = WriteBack::new()
///     .put("value", "result")
///     .put("state.findings", "snapshot.findings");
/// ```
#[derive(Clone, Debug, Default)]
pub struct WriteBack(Vec<(String, String)>);

impl WriteBack {
    /// Nothing: the next stage gets the child's close snapshot.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the child's `from` (`result`, `result.<path>`, `snapshot`, `snapshot.<path>`) to the
    /// parent's `to` (`state.<path>`, or `value`: what the next stage gets).
    #[must_use]
    pub fn put(mut self, to: impl Into<String>, from: impl Into<String>) -> Self {
        self.0.push((to.into(), from.into()));
        self
    }
}

impl Draft {
    pub(crate) fn sub_flow(
        &mut self,
        at: Attach,
        child: &TriggerFlow,
        capture: Capture,
        write_back: WriteBack,
    ) -> NodeIdx {
        let mut captured = Vec::new();
        for (to, from) in capture.0 {
            let source = match split(&from) {
                Some(("input", path)) => Some(From_::Input(path)),
                Some(("state", path)) => Some(From_::State(path)),
                _ => None,
            };
            match (target(&to, "input"), source) {
                (Some(to), Some(from)) => captured.push((to, from)),
                _ => self.fault(format!(
                    "a sub-flow cannot capture `{to}` from `{from}`; write `input` or \
                     `state.<path>`, from `input`, `input.<path>` or `state.<path>`"
                )),
            }
        }
        let mut written = Vec::new();
        for (to, from) in write_back.0 {
            let source = match split(&from) {
                Some(("result", path)) => Some(Out::Result(path)),
                Some(("snapshot", path)) => Some(Out::Snapshot(path)),
                _ => None,
            };
            match (target(&to, "value"), source) {
                (Some(to), Some(from)) => written.push((to, from)),
                _ => self.fault(format!(
                    "a sub-flow cannot write `{from}` back to `{to}`; write `value` or \
                     `state.<path>`, from `result`, `result.<path>` or `snapshot.<path>`"
                )),
            }
        }
        self.operator(
            at,
            Op::SubFlow(Box::new(SubFlow {
                flow: child.clone(),
                definition: None,
                capture: captured,
                write_back: written,
            })),
        )
    }
}

/// `word` or `word.<path>`.
fn split(text: &str) -> Option<(&str, StatePath)> {
    match text.split_once('.') {
        None => Some((text, StatePath::default())),
        Some((word, path)) => Some((word, StatePath::parse(path).ok()?)),
    }
}

/// `state.<path>`, or the `whole` value, which is the root path.
fn target(text: &str, whole: &str) -> Option<StatePath> {
    match split(text)? {
        (word, path) if word == whole && path.is_root() => Some(path),
        ("state", path) if !path.is_root() => Some(path),
        _ => None,
    }
}
