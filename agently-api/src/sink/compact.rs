use std::borrow::Borrow;

use serde::{Serialize, Serializer};

use crate::data::StreamingData;

/// [`StreamingData`], by value or by reference, that serialises without `value` on deltas.
///
/// A reader joins the deltas of a path, or waits for its completion, whose `value` is whole. With
/// it a string of *n* bytes costs about *n* bytes of deltas and *n* of completion, instead of up to
/// *n* for every delta. `$status` items keep their value.
///
/// ```
/// use agently_api::data::{DeltaText, Node, Path, StreamingData, TextView, ValueView};
/// use agently_api::sink::{Compact, JsonLinesWriter, Map, StreamSink};
/// # pollster::block_on(async {
///
/// let mut wire = Vec::new();
/// let mut sink = Map::new(JsonLinesWriter::new(&mut wire), Compact::<StreamingData>);
/// let value = ValueView::new(Node::String(TextView::from("Async First".to_owned())));
/// sink.send(StreamingData::delta(Path::root().key("title"), DeltaText::from(" First"), value, 1))
///     .await?;
/// assert_eq!(
///     String::from_utf8_lossy(&wire),
///     r#"{"path":"title","wildcard_path":"title","delta":" First","is_complete":false,"completion_source":null,"event_type":"delta","attempt":1}"#
///         .to_owned() + "\n",
/// );
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// # })?;
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Compact<D>(pub D);

impl<D: Borrow<StreamingData>> Serialize for Compact<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let item = self.0.borrow();
        item.serialize_fields(serializer, item.delta.is_none())
    }
}
