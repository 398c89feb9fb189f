//! The adapters that hand items to other code: channel, closures, list, fan-out, map, null, and
//! `futures::Sink`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::cell::RefCell;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use agently_api::sink::{
    channel, AsyncFnSink, Collect, FanOut, FnSink, FromSink, Map, Null, SinkClosed, StreamSink,
    TrySendError,
};
use futures_util::stream::{FusedStream, StreamExt};
use futures_util::FutureExt;
use pollster::block_on;
use proptest::prelude::*;

/// What a future gives if it is ready at once.
fn now<T>(future: impl std::future::Future<Output = T>) -> Option<T> {
    future.now_or_never()
}

#[test]
fn a_channel_takes_as_many_items_as_it_has_places_and_then_waits() {
    for capacity in [0, 1, 2, 7] {
        let (mut sink, mut stream) = channel(capacity);
        let places = capacity.max(1);
        for item in 0..places {
            assert_eq!(
                now(sink.send(item)),
                Some(Ok(())),
                "item {item} of {places}"
            );
        }
        assert_eq!(now(sink.send(places)), None, "{places} places");
        assert_eq!(now(stream.next()), Some(Some(0)));
        assert_eq!(
            now(sink.send(places)),
            Some(Ok(())),
            "a place is free again"
        );
    }
}

#[test]
fn a_send_that_waits_goes_on_when_the_reader_takes_an_item() {
    let (mut sink, mut stream) = channel(1);
    let sending = async {
        for item in 0..100 {
            sink.send(item).await.unwrap();
        }
        sink.finish().await.unwrap();
    };
    let reading = async {
        let mut items = Vec::new();
        while let Some(item) = stream.next().await {
            items.push(item);
        }
        items
    };
    let ((), items) = block_on(futures_util::future::join(sending, reading));
    assert_eq!(items, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_channel_is_closed_when_its_reader_is_gone() {
    let (mut sink, stream) = channel(4);
    assert_eq!(block_on(sink.send(1)), Ok(()));
    assert!(!sink.is_closed());
    drop(stream);
    assert!(sink.is_closed());
    assert_eq!(block_on(sink.send(2)), Err(SinkClosed));
    assert_eq!(block_on(sink.finish()), Err(SinkClosed));
}

#[test]
fn a_send_that_waits_hears_that_the_reader_has_gone() {
    let (mut sink, stream) = channel(1);
    block_on(sink.send(1)).unwrap();
    let mut stream = Some(stream);
    let mut sending = sink.send(2);
    let outcome = block_on(poll_fn(|cx| match sending.poll_unpin(cx) {
        Poll::Pending => {
            // Polled again only if the drop wakes it.
            drop(stream.take());
            Poll::Pending
        }
        ready => ready,
    }));
    assert_eq!(outcome, Err(SinkClosed));
}

#[test]
fn a_reader_that_closes_still_gets_what_was_sent() {
    let (mut sink, mut stream) = channel(4);
    block_on(sink.send(1)).unwrap();
    stream.close();
    assert_eq!(block_on(sink.send(2)), Err(SinkClosed));
    assert_eq!(block_on(stream.next()), Some(1));
    assert_eq!(block_on(stream.next()), None);
    assert!(stream.is_terminated());
}

#[test]
fn a_channel_ends_when_every_sender_has_finished() {
    let (mut first, mut stream) = channel(4);
    let mut second = first.clone();
    block_on(first.finish()).unwrap();
    assert_eq!(block_on(first.send(0)), Err(SinkClosed), "it has finished");
    block_on(second.send(1)).unwrap();
    assert_eq!(now(stream.next()), Some(Some(1)));
    assert_eq!(now(stream.next()), None, "one sender is left");
    drop(second);
    assert_eq!(now(stream.next()), Some(None));
}

#[test]
fn try_send_gives_back_what_has_no_room() {
    let (mut sink, stream) = channel(1);
    assert_eq!(sink.try_send("a"), Ok(()));
    assert_eq!(sink.try_send("b"), Err(TrySendError::Full("b")));
    drop(stream);
    assert_eq!(sink.try_send("c"), Err(TrySendError::Closed("c")));
}

#[test]
fn a_send_that_is_dropped_while_it_waits_loses_only_its_own_item() {
    let (mut sink, mut stream) = channel(1);
    block_on(sink.send("kept")).unwrap();
    assert_eq!(now(sink.send("dropped")), None);
    assert_eq!(now(stream.next()), Some(Some("kept")));
    block_on(sink.send("next")).unwrap();
    assert_eq!(now(stream.next()), Some(Some("next")));
}

proptest! {
    #[test]
    fn a_channel_keeps_the_order_and_never_holds_more_than_its_places(
        capacity in 1_usize..5,
        steps in proptest::collection::vec(any::<bool>(), 0..60),
    ) {
        let (mut sink, mut stream) = channel(capacity);
        let (mut sent, mut read) = (0_usize, 0_usize);
        for send in steps {
            if send {
                let taken = now(sink.send(sent)).is_some();
                prop_assert_eq!(taken, sent - read < capacity);
                sent += usize::from(taken);
            } else {
                let item = now(stream.next()).flatten();
                prop_assert_eq!(item, (read < sent).then_some(read));
                read += usize::from(item.is_some());
            }
        }
    }
}

#[test]
fn a_closure_gets_every_item() {
    let mut seen = Vec::new();
    let mut sink = FnSink::new(|item| seen.push(item));
    block_on(async {
        sink.send(1).await?;
        sink.send(2).await?;
        sink.finish().await
    })
    .unwrap();
    assert_eq!(seen, [1, 2]);
}

#[test]
fn a_closure_that_asks_to_stop_is_not_called_again() {
    let mut calls = 0;
    let mut sink = FnSink::new(|item| {
        calls += 1;
        if item == "stop" {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(block_on(sink.send("go")), Ok(()));
    assert_eq!(block_on(sink.send("stop")), Err(SinkClosed));
    assert_eq!(block_on(sink.send("go")), Err(SinkClosed));
    assert_eq!(
        block_on(StreamSink::<&str>::finish(&mut sink)),
        Err(SinkClosed)
    );
    assert_eq!(calls, 2);
}

#[test]
fn an_async_closure_slows_the_stream_down_to_its_pace() {
    let gate = Arc::new(Mutex::new(false));
    let seen = Collect::new();
    let (inside, list) = (Arc::clone(&gate), seen.clone());
    let mut sink = AsyncFnSink::new(move |item: u32| {
        let (gate, mut list) = (Arc::clone(&inside), list.clone());
        async move {
            poll_fn(|_| match *gate.lock().unwrap() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
            list.send(item).await
        }
    });
    assert_eq!(now(sink.send(1)), None, "the closure has not finished");
    *gate.lock().unwrap() = true;
    assert_eq!(now(sink.send(2)), Some(Ok(())));
    assert_eq!(seen.take(), [2]);
}

#[test]
fn an_async_closure_that_asks_to_stop_is_not_called_again() {
    let mut calls = 0;
    let mut sink = AsyncFnSink::new(|item: u32| {
        calls += 1;
        async move {
            if item > 1 {
                Err(SinkClosed)
            } else {
                Ok(())
            }
        }
    });
    assert_eq!(block_on(sink.send(1)), Ok(()));
    assert_eq!(block_on(sink.send(2)), Err(SinkClosed));
    assert_eq!(block_on(sink.send(1)), Err(SinkClosed));
    assert_eq!(calls, 2);
}

#[test]
fn a_list_is_read_through_any_of_its_handles() {
    let list = Collect::new();
    let mut sink = list.clone();
    block_on(sink.send("a".to_owned())).unwrap();
    block_on(sink.send("b".to_owned())).unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list.with(|items| items.concat()), "ab");
    assert_eq!(list.take(), ["a", "b"]);
    assert!(list.is_empty());
}

#[test]
fn a_fan_out_gives_every_item_to_every_sink() {
    let (first, second) = (Collect::new(), Collect::new());
    let mut sink = FanOut::new().with(first.clone()).with(second.clone());
    block_on(sink.send(1)).unwrap();
    block_on(sink.send(2)).unwrap();
    assert_eq!(first.take(), [1, 2]);
    assert_eq!(second.take(), [1, 2]);
}

#[test]
fn a_fan_out_drops_a_closed_sink_and_goes_on_until_none_is_left() {
    let list = Collect::new();
    let (queue, stream) = channel(4);
    let limited = FnSink::new(|item: u32| {
        if item < 3 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    let mut sink = FanOut::new().with(queue).with(limited);
    sink.push(list.clone());
    block_on(sink.send(1)).unwrap();
    drop(stream);
    block_on(sink.send(2)).unwrap();
    assert_eq!(sink.len(), 2);
    block_on(sink.send(3)).unwrap();
    assert_eq!(sink.len(), 1);
    assert_eq!(list.take(), [1, 2, 3]);

    let (queue, stream) = channel(4);
    let mut sink = FanOut::new().with(queue);
    drop(stream);
    assert_eq!(block_on(sink.send(1)), Err(SinkClosed));
    assert!(sink.is_empty());
    assert_eq!(block_on(sink.send(2)), Err(SinkClosed));
}

#[test]
fn a_full_sink_holds_a_fan_out_back_but_not_the_other_sinks_of_this_item() {
    let (full, mut stream) = channel(1);
    let list = Collect::new();
    let mut sink = FanOut::new().with(full).with(list.clone());
    assert_eq!(now(sink.send(1)), Some(Ok(())));
    let mut second = sink.send(2);
    assert_eq!(now(&mut second), None, "one sink is full");
    assert_eq!(list.take(), [1, 2]);
    assert_eq!(now(stream.next()), Some(Some(1)));
    assert_eq!(now(&mut second), Some(Ok(())));
}

#[test]
fn finishing_a_fan_out_finishes_its_sinks() {
    let (queue, mut stream) = channel(4);
    let mut sink = FanOut::new().with(queue).with(Null);
    block_on(sink.send(1)).unwrap();
    block_on(sink.finish()).unwrap();
    assert_eq!(block_on(stream.next()), Some(1));
    assert_eq!(block_on(stream.next()), None);
}

#[test]
fn a_map_changes_items_and_passes_on_closing_and_finishing() {
    let (queue, mut stream) = channel(4);
    let mut sink = Map::new(queue, |item: u32| item.to_string());
    block_on(sink.send(1)).unwrap();
    block_on(sink.finish()).unwrap();
    assert_eq!(block_on(stream.next()), Some("1".to_owned()));
    assert_eq!(block_on(stream.next()), None);
    assert_eq!(block_on(sink.send(2)), Err(SinkClosed));
}

#[test]
fn a_map_waits_while_its_sink_is_full() {
    let (queue, _stream) = channel(1);
    let mut sink = Map::new(queue, |item: u32| item + 1);
    assert_eq!(now(sink.send(1)), Some(Ok(())));
    assert_eq!(now(sink.send(2)), None);
}

#[test]
fn the_null_sink_takes_everything() {
    for item in 0..1_000 {
        assert_eq!(now(Null.send(item)), Some(Ok(())));
    }
    assert_eq!(now(StreamSink::<u8>::finish(&mut Null)), Some(Ok(())));
}

#[test]
fn a_boxed_sink_and_a_borrowed_one_are_sinks() {
    let list = Collect::new();
    let mut boxed: Box<dyn StreamSink<u32>> = Box::new(list.clone());
    block_on(boxed.send(1)).unwrap();
    let mut borrowed = Map::new(&mut boxed, |item: u32| item * 2);
    block_on(borrowed.send(1)).unwrap();
    assert_eq!(list.take(), [1, 2]);
}

#[test]
fn a_futures_sink_gets_each_item_flushed_and_its_failure_closes_it() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&log);
    let inner = futures_util::sink::unfold(0, move |count, item: u32| {
        let log = Arc::clone(&written);
        async move {
            if count == 2 {
                return Err("full for ever");
            }
            log.lock().unwrap().push(item);
            Ok(count + 1)
        }
    });
    let mut sink = FromSink::new(Box::pin(inner));
    assert_eq!(block_on(sink.send(1)), Ok(()));
    assert_eq!(*log.lock().unwrap(), [1], "each item is flushed");
    assert_eq!(block_on(sink.send(2)), Ok(()));
    assert_eq!(sink.error(), None);
    assert_eq!(block_on(sink.send(3)), Err(SinkClosed));
    assert_eq!(sink.error(), Some(&"full for ever"));
    assert_eq!(block_on(sink.send(4)), Err(SinkClosed));
    assert_eq!(
        block_on(StreamSink::<u32>::finish(&mut sink)),
        Err(SinkClosed)
    );
    assert_eq!(*log.lock().unwrap(), [1, 2]);
}

#[test]
fn a_futures_sink_that_is_busy_holds_send_back() {
    let busy = futures_util::sink::unfold((), |(), _: u32| std::future::pending());
    let mut sink = FromSink::<_, SinkClosed>::new(Box::pin(busy));
    assert_eq!(now(sink.send(1)), None);
}

#[test]
fn finishing_closes_a_futures_sink() {
    let mut sink = FromSink::new(futures_util::sink::drain());
    assert_eq!(block_on(sink.send(1)), Ok(()));
    assert_eq!(block_on(StreamSink::<u32>::finish(&mut sink)), Ok(()));
    assert_eq!(block_on(sink.send(2)), Err(SinkClosed), "it is closed");
    assert_eq!(sink.error(), None, "closing is no failure");
}

#[test]
fn an_item_of_a_sink_need_not_be_shared() {
    // `Cell`-like items are `Send` and not `Sync`: a sink asks only for `Send`.
    let list = Collect::new();
    let mut sink = list.clone();
    block_on(sink.send(RefCell::new(1))).unwrap();
    assert_eq!(list.take()[0].take(), 1);
}
