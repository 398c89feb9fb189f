//! When to try again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::{Duration, SystemTime};

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_http::retry::{
    is_maybe_billed_status, is_retryable_status, parse_retry_after, parse_should_retry,
    RetryBudget, RetryPolicy,
};
use agently_http::{HeaderMap, StatusCode};

/// Sunday, 6 November 1994, 08:49:37 GMT.
fn wall() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

fn asked(pairs: &[(&'static str, &str)]) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.insert(*name, value.parse().unwrap());
    }
    parse_retry_after(&headers, wall()).map(Duration::from)
}

#[test]
fn d06_d07_retry_after() {
    let seconds = |seconds: f64| Some(Duration::from_secs_f64(seconds));
    for (value, expected) in [
        ("7", seconds(7.0)),
        (" 7 ", seconds(7.0)),
        ("1.5", seconds(1.5)),
        ("9999999999", seconds(9_999_999_999.0)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", seconds(60.0)),
        ("Sunday, 06-Nov-94 08:50:37 GMT", seconds(60.0)),
        ("Sun Nov  6 08:50:37 1994", seconds(60.0)),
        // No time at all, or invalid: one's own backoff counts.
        ("0", None),
        ("0.0", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:36 GMT", None),
        ("-1", None),
        ("+1", None),
        ("", None),
        (".", None),
        ("1e3", None),
        ("inf", None),
        ("NaN", None),
        ("soon", None),
        ("1,5", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
    ] {
        assert_eq!(asked(&[("retry-after", value)]), expected, "{value:?}");
    }
    let far = asked(&[("retry-after", "Sat, 06 Jan 2035 00:00:00 GMT")]).unwrap();
    assert!(far > Duration::from_secs(40 * 365 * 86_400));
    let huge = "9".repeat(400);
    assert_eq!(asked(&[("retry-after", &huge)]), None);
}

#[test]
fn milliseconds_go_before_seconds_where_they_can_be_read() {
    let millis = |millis| Some(Duration::from_millis(millis));
    assert_eq!(asked(&[("retry-after-ms", "250")]), millis(250));
    assert_eq!(
        asked(&[("retry-after-ms", "250"), ("retry-after", "9")]),
        millis(250)
    );
    assert_eq!(
        asked(&[("retry-after-ms", "-1"), ("retry-after", "9")]),
        millis(9_000)
    );
    assert_eq!(asked(&[]), None);
}

#[test]
fn d13_the_servers_word() {
    let word = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-should-retry", value.parse().unwrap());
        parse_should_retry(&headers)
    };
    assert_eq!(word("true"), Some(true));
    assert_eq!(word("false"), Some(false));
    assert_eq!(word("maybe"), None);
    assert_eq!(parse_should_retry(&HeaderMap::new()), None);
}

#[test]
fn d10_d11_statuses() {
    for status in [408, 409, 429, 500, 502, 503, 504, 520, 524, 529] {
        assert!(
            is_retryable_status(StatusCode::from_u16(status).unwrap()),
            "{status}"
        );
    }
    for status in [200, 301, 400, 401, 403, 404, 413, 422, 501, 505] {
        assert!(
            !is_retryable_status(StatusCode::from_u16(status).unwrap()),
            "{status}"
        );
    }
    for status in [502, 504, 524] {
        assert!(is_maybe_billed_status(
            StatusCode::from_u16(status).unwrap()
        ));
    }
    assert!(!is_maybe_billed_status(StatusCode::TOO_MANY_REQUESTS));
}

fn lost() -> ProviderError {
    ProviderError::new(ProviderErrorKind::Truncated, "the connection was lost")
}

#[test]
fn waits_double_up_to_the_cap_and_are_drawn_evenly() {
    let policy = RetryPolicy::default().with_max_retries(100);
    for (retries, bound) in [
        (0, 500),
        (1, 1_000),
        (2, 2_000),
        (3, 4_000),
        (4, 8_000),
        (5, 8_000),
        (99, 8_000),
    ] {
        let bound = Duration::from_millis(bound);
        assert_eq!(policy.delay_at(retries, &lost(), 0.0), Some(Duration::ZERO));
        assert_eq!(policy.delay_at(retries, &lost(), 0.5), Some(bound / 2));
        assert_eq!(policy.delay_at(retries, &lost(), 1.0), Some(bound));
        for _ in 0..100 {
            assert!(policy.delay(retries, &lost()).unwrap() <= bound);
        }
    }
    assert_eq!(policy.delay_at(0, &lost(), f64::NAN), Some(Duration::ZERO));
}

#[test]
fn there_is_an_end_to_retries() {
    let policy = RetryPolicy::default();
    assert!(policy.delay(1, &lost()).is_some());
    assert!(policy.delay(2, &lost()).is_none());
    assert!(RetryPolicy::never().delay(0, &lost()).is_none());
    let refused = ProviderError::new(ProviderErrorKind::Provider, "bad key");
    assert!(policy.delay(0, &refused).is_none());
}

#[test]
fn what_the_server_asks_for_is_waited_or_there_is_no_retry() {
    let policy = RetryPolicy::default();
    let limited = |seconds| {
        ProviderError::new(ProviderErrorKind::RateLimited, "slow down")
            .with_retry_after(Duration::from_secs(seconds))
    };
    for asked in [3, 120] {
        let wait = |draw| policy.delay_at(0, &limited(asked), draw);
        assert_eq!(wait(0.0), Some(Duration::from_secs(asked)));
        // Those who were told the same do not come back together.
        let later = Duration::from_secs(asked) + Duration::from_millis(50 * asked);
        assert_eq!(wait(0.5), Some(later));
        for _ in 0..100 {
            let wait = policy.delay(0, &limited(asked)).unwrap();
            assert!(wait >= Duration::from_secs(asked));
            assert!(wait <= Duration::from_millis(1_100 * asked));
        }
    }
    for draw in [0.0, 0.99] {
        assert_eq!(policy.delay_at(0, &limited(121), draw), None);
        assert_eq!(policy.delay_at(0, &limited(9_999_999_999), draw), None);
    }
}

#[test]
fn d06_a_server_that_asks_for_no_time_is_not_hammered() {
    let policy = RetryPolicy::default();
    let limited = |millis| {
        ProviderError::new(ProviderErrorKind::RateLimited, "slow down")
            .with_retry_after(Duration::from_millis(millis))
    };
    for retries in [0, 1] {
        for draw in [0.0, 0.5, 1.0] {
            let usual = policy.delay_at(retries, &lost(), draw).unwrap();
            assert_eq!(policy.delay_at(retries, &limited(0), draw), Some(usual));
            // Next to nothing is no reason to come sooner either.
            assert!(policy.delay_at(retries, &limited(1), draw).unwrap() >= usual);
        }
    }
}

/// All callers fail, each as often as policy and budget let it: requests sent for each call.
fn amplification(budget: &RetryBudget, callers: u32) -> f64 {
    let policy = RetryPolicy::default();
    let mut sent = 0;
    for _ in 0..callers {
        budget.call();
        sent += 1;
        let mut retries = 0;
        while policy.delay(retries, &lost()).is_some() && budget.try_retry() {
            retries += 1;
            sent += 1;
        }
    }
    f64::from(sent) / f64::from(callers)
}

#[test]
fn i08_a_dead_server_gets_at_most_a_fifth_more_requests() {
    let fresh = RetryBudget::new();
    let factor = amplification(&fresh, 1_000);
    println!("fresh: {factor}");
    assert!(factor <= 1.2);

    // After long success the budget is full, and still no flood.
    let full = RetryBudget::new();
    for _ in 0..100_000 {
        full.call();
        full.succeeded();
    }
    let factor = amplification(&full, 1_000);
    println!("full: {factor}");
    assert!(factor <= 1.2);
}

#[test]
fn a_burst_that_meets_one_short_failure_gets_its_retries() {
    let budget = RetryBudget::new();
    let denied = (0..100).filter(|_| {
        budget.call();
        !budget.try_retry()
    });
    assert_eq!(denied.count(), 0);
}

#[test]
fn a_budget_may_be_smaller() {
    let none = RetryBudget::with_retries(0);
    for _ in 0..100 {
        none.call();
        none.succeeded();
    }
    assert!(!none.try_retry());

    let two = RetryBudget::with_retries(2);
    for _ in 0..100 {
        two.succeeded();
    }
    let shared = two.clone();
    assert!(two.try_retry() && shared.try_retry());
    assert!(!two.try_retry() && !shared.try_retry());
}

#[test]
fn a_single_caller_gets_its_retries() {
    let budget = RetryBudget::new();
    assert_eq!(amplification(&budget, 1), 3.0);
    // And whoever succeeds in the end can go on like that.
    let budget = RetryBudget::new();
    for _ in 0..1_000 {
        budget.call();
        assert!(budget.try_retry());
        budget.succeeded();
        budget.call();
        budget.succeeded();
    }
}
