//! The adapters that write: Server-Sent Events and JSON lines, and the shape of `StreamingData` on
//! the wire.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use agently_api::data::{
    AttemptStatus, CompletionSource, DeltaText, Node, Path, StreamingData, TextView, ValueView,
};
use agently_api::sink::{Compact, JsonLinesWriter, Map, SinkClosed, SseWriter, StreamSink};
use futures_io::AsyncWrite;
use futures_util::FutureExt;
use pollster::block_on;
use proptest::prelude::*;
use serde_json::{json, Value};

/// A writer that takes a few bytes at a time and has room for `room` of them.
#[derive(Default)]
struct Narrow {
    bytes: Vec<u8>,
    room: usize,
    flushed: usize,
    fails: bool,
}

impl AsyncWrite for Narrow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.fails {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = bytes.len().min(3).min(self.room);
        if taken == 0 {
            return Poll::Pending;
        }
        self.room -= taken;
        self.bytes.extend_from_slice(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushed = self.bytes.len();
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// A writer that the test keeps a hand on.
struct Shared(Mutex<Narrow>);

impl AsyncWrite for &Shared {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock().unwrap()).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock().unwrap()).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// An item that is no JSON.
struct Unspeakable;

impl serde::Serialize for Unspeakable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, SerializeSeq};
        let mut list = serializer.serialize_seq(None)?;
        list.serialize_element("half")?;
        Err(S::Error::custom("no words for it"))
    }
}

fn sse_text(text: &str) -> String {
    let mut sink = SseWriter::text(Vec::new());
    block_on(sink.send(text.to_owned())).unwrap();
    String::from_utf8(sink.into_inner()).unwrap()
}

/// Reads an event stream as the WHATWG says a browser does: (event, data) of each event.
fn read_events(stream: &str) -> Vec<(String, String)> {
    let unified = stream.replace("\r\n", "\n").replace('\r', "\n");
    let (mut events, mut name, mut data) = (Vec::new(), String::new(), String::new());
    for line in unified.lines() {
        if line.is_empty() {
            if let Some(data) = data.strip_suffix('\n') {
                events.push((std::mem::take(&mut name), data.to_owned()));
            }
            data.clear();
            name.clear();
        } else if let Some((field, value)) = line.split_once(':') {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => {
                    data.push_str(value);
                    data.push('\n');
                }
                "event" => name = value.to_owned(),
                _ => {}
            }
        }
    }
    events
}

#[test]
fn an_event_is_a_data_line_and_a_blank_line() {
    assert_eq!(sse_text("hello"), "data: hello\n\n");
    assert_eq!(sse_text(""), "data: \n\n");
}

#[test]
fn every_kind_of_line_break_begins_a_new_data_line() {
    assert_eq!(
        sse_text("a\nb\r\nc\rd"),
        "data: a\ndata: b\ndata: c\ndata: d\n\n"
    );
    assert_eq!(sse_text("a\n\n"), "data: a\ndata: \ndata: \n\n");
    assert_eq!(sse_text("\n\r"), "data: \ndata: \ndata: \n\n");
}

#[test]
fn text_that_looks_like_fields_stays_text() {
    let text = "x\n\nevent: admin\nid: 1\n: comment\nretry: 1";
    assert_eq!(
        read_events(&sse_text(text)),
        [(String::new(), text.to_owned())]
    );
}

#[test]
fn an_event_name_cannot_smuggle_a_second_event() {
    let mut sink = SseWriter::text(Vec::new()).with_event_name(|name: &&str| *name);
    block_on(async {
        sink.send("done").await?;
        sink.send("done\ndata: false\n\n").await?;
        sink.send("").await
    })
    .unwrap();
    let wire = String::from_utf8(sink.into_inner()).unwrap();
    let events = read_events(&wire);
    assert_eq!(events.len(), 3, "{wire}");
    assert_eq!(events[0], ("done".to_owned(), "done".to_owned()));
    assert_eq!(events[1].0, "done");
    assert_eq!(events[2], (String::new(), String::new()));
    assert!(wire.ends_with("data: \n\n") && !wire.ends_with("event: \ndata: \n\n"));
}

proptest! {
    #[test]
    fn any_text_arrives_as_one_event_with_its_line_breaks_as_lf(text in "[\\x00-\\x20a:é😀\u{2028}\r\n]{0,40}") {
        let expected = text.replace("\r\n", "\n").replace('\r', "\n");
        let events = read_events(&sse_text(&text));
        prop_assert_eq!(events, [(String::new(), expected)]);
    }

    #[test]
    fn any_text_arrives_unchanged_as_json(text in any::<String>()) {
        let mut sink = SseWriter::json(Vec::new());
        block_on(sink.send(text.clone())).unwrap();
        let wire = String::from_utf8(sink.into_inner()).unwrap();
        let events = read_events(&wire);
        prop_assert_eq!(events.len(), 1);
        prop_assert_eq!(serde_json::from_str::<String>(&events[0].1).unwrap(), text);
    }

    #[test]
    fn json_lines_are_one_value_a_line(texts in proptest::collection::vec(any::<String>(), 0..8)) {
        let mut sink = JsonLinesWriter::new(Vec::new());
        for text in &texts {
            block_on(sink.send(text.clone())).unwrap();
        }
        let wire = String::from_utf8(sink.into_inner()).unwrap();
        let read: Vec<String> = wire.split_terminator('\n').map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(read, texts);
    }
}

#[test]
fn an_item_is_flushed_before_send_returns() {
    let mut writer = Narrow {
        room: usize::MAX,
        ..Narrow::default()
    };
    let mut sink = JsonLinesWriter::new(&mut writer);
    block_on(sink.send("a longer item")).unwrap();
    assert_eq!(writer.bytes, b"\"a longer item\"\n");
    assert_eq!(writer.flushed, writer.bytes.len());
}

#[test]
fn a_slow_writer_holds_send_back() {
    let mut writer = Narrow {
        room: 4,
        ..Narrow::default()
    };
    let mut sink = JsonLinesWriter::new(&mut writer);
    assert_eq!(sink.send("abcdefgh").now_or_never(), None);
    assert_eq!(writer.bytes, b"\"abc");
}

#[test]
fn a_send_that_is_dropped_half_way_tears_nothing() {
    let shared = Shared(Mutex::new(Narrow {
        room: 4,
        ..Narrow::default()
    }));
    let mut sink = SseWriter::text(&shared);
    assert_eq!(sink.send("first").now_or_never(), None);
    shared.0.lock().unwrap().room = usize::MAX;
    assert_eq!(sink.send("second").now_or_never(), Some(Ok(())));
    let wire = shared.0.lock().unwrap().bytes.clone();
    assert_eq!(
        String::from_utf8(wire).unwrap(),
        "data: first\n\ndata: second\n\n"
    );
}

#[test]
fn finish_writes_what_a_dropped_send_had_left() {
    let shared = Shared(Mutex::new(Narrow {
        room: 4,
        ..Narrow::default()
    }));
    let mut sink = JsonLinesWriter::new(&shared);
    assert_eq!(sink.send("first").now_or_never(), None);
    shared.0.lock().unwrap().room = usize::MAX;
    assert_eq!(
        StreamSink::<&str>::finish(&mut sink).now_or_never(),
        Some(Ok(()))
    );
    assert_eq!(shared.0.lock().unwrap().bytes, b"\"first\"\n");
}

#[test]
fn a_writer_that_fails_closes_the_sink_and_the_reason_is_kept() {
    let mut sink = SseWriter::text(Narrow {
        fails: true,
        ..Narrow::default()
    });
    assert!(sink.error().is_none());
    assert_eq!(block_on(sink.send("a")), Err(SinkClosed));
    assert_eq!(sink.error().unwrap().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(block_on(sink.send("b")), Err(SinkClosed));
    assert_eq!(block_on(sink.finish()), Err(SinkClosed));
}

#[test]
fn an_item_that_is_no_json_closes_the_sink_and_leaves_no_half_of_it() {
    let mut sink = JsonLinesWriter::new(Vec::new());
    block_on(sink.send("fine")).unwrap();
    assert_eq!(block_on(sink.send(Unspeakable)), Err(SinkClosed));
    assert!(sink.error().unwrap().to_string().contains("no words"));
    assert_eq!(sink.into_inner(), b"\"fine\"\n");

    let mut sink = SseWriter::json(Vec::new()).with_event_name(|_| "item");
    assert_eq!(block_on(sink.send(Unspeakable)), Err(SinkClosed));
    assert!(sink.into_inner().is_empty());
}

fn text(text: &str) -> ValueView {
    ValueView::new(Node::String(TextView::from(text.to_owned())))
}

#[test]
fn a_delta_a_completion_and_a_status_have_one_shape() {
    let path = Path::root().key("items").index(0).key("name");
    let delta = StreamingData::delta(path.clone(), DeltaText::from("b"), text("ab"), 2);
    assert_eq!(
        serde_json::to_value(&delta).unwrap(),
        json!({
            "path": "items[0].name",
            "wildcard_path": "items[*].name",
            "delta": "b",
            "value": "ab",
            "is_complete": false,
            "completion_source": null,
            "event_type": "delta",
            "attempt": 2,
        })
    );
    let done = StreamingData::completion(path, text("ab"), CompletionSource::ObservedBoundary, 2);
    assert_eq!(
        serde_json::to_value(&done).unwrap(),
        json!({
            "path": "items[0].name",
            "wildcard_path": "items[*].name",
            "delta": null,
            "value": "ab",
            "is_complete": true,
            "completion_source": "observed_boundary",
            "event_type": "done",
            "attempt": 2,
        })
    );
    let status = StreamingData::from_status(AttemptStatus::retrying(1, "cut off"));
    let status = serde_json::to_value(&status).unwrap();
    assert_eq!(status["path"], "$status");
    assert_eq!(
        status["value"],
        json!({
            "status": "failed",
            "retry": true,
            "attempt_index": 1,
            "reason": "cut off",
            "next_attempt_index": 2,
        })
    );
    let keys = |item: &Value| {
        item.as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&status), keys(&serde_json::to_value(&done).unwrap()));
}

#[test]
fn a_compact_item_leaves_out_the_value_of_deltas_and_of_nothing_else() {
    let path = Path::root().key("title");
    let delta = StreamingData::delta(path.clone(), DeltaText::from("b"), text("ab"), 1);
    let done = StreamingData::completion(path, text("ab"), CompletionSource::SyntheticRepair, 1);
    let status = StreamingData::from_status(AttemptStatus::completed(1));
    let compact = |item: &StreamingData| serde_json::to_value(Compact(item)).unwrap();

    let mut whole = serde_json::to_value(&delta).unwrap();
    whole.as_object_mut().unwrap().remove("value");
    assert_eq!(compact(&delta), whole);
    assert_eq!(compact(&done), serde_json::to_value(&done).unwrap());
    assert_eq!(compact(&status), serde_json::to_value(&status).unwrap());
}

#[test]
fn a_long_string_costs_its_own_length_on_a_compact_wire() {
    let piece = "x".repeat(100);
    let mut value = TextView::new();
    let mut sink = Map::new(SseWriter::json(Vec::new()), Compact::<StreamingData>);
    let pieces = 1_000;
    for _ in 0..pieces {
        value.append(&piece);
        let view = ValueView::new(Node::String(value.clone()));
        let path = Path::root().key("body");
        let item = StreamingData::delta(path, DeltaText::from(&*piece), view, 1);
        block_on(sink.send(item)).unwrap();
    }
    let wire = sink.into_inner().into_inner();
    // 100 bytes of text and the frame around them: not the 50,000,000 of every value in full.
    assert!(wire.len() < pieces * 300, "{} bytes", wire.len());
}
