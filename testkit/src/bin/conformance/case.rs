use serde::Deserialize;
use serde_json::Value;

/// One line of a case file.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    /// The output schema in portable spelling; null for none.
    #[serde(default)]
    pub(crate) schema: Value,
    #[serde(default = "json")]
    pub(crate) format: String,
    pub(crate) deltas: Vec<String>,
    /// Further answers, for retries.
    #[serde(default)]
    pub(crate) replies: Vec<Vec<String>>,
    #[serde(default)]
    pub(crate) expect: Expect,
}

#[derive(Default, Deserialize)]
pub(crate) struct Expect {
    #[serde(default)]
    pub(crate) events: Vec<Event>,
    /// Absent where only the events count.
    #[serde(default, deserialize_with = "present")]
    pub(crate) data: Option<Value>,
}

/// A field event in the spelling of the case files.
#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Event {
    /// The delta that caused it; the number of deltas means the end of the stream.
    pub(crate) at: u64,
    pub(crate) path: String,
    pub(crate) wildcard_path: String,
    pub(crate) delta: Option<String>,
    pub(crate) value: Value,
    pub(crate) is_complete: bool,
    pub(crate) completion_source: Option<String>,
}

fn json() -> String {
    "json".to_owned()
}

/// Tells `"data": null` from no `data`.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Case {
    pub(crate) fn parse(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }
}

impl Event {
    pub(crate) fn to_json(&self) -> Value {
        serde_json::json!({
            "at": self.at,
            "path": self.path,
            "wildcard_path": self.wildcard_path,
            "delta": self.delta,
            "value": self.value,
            "is_complete": self.is_complete,
            "completion_source": self.completion_source,
        })
    }
}
