use std::time::{Duration, SystemTime};

use http::{header, HeaderMap};

/// How long a server asks to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RetryAfter(Duration);

impl RetryAfter {
    /// The wait, from the moment the header was read.
    #[must_use]
    pub fn delay(self) -> Duration {
        self.0
    }
}

impl From<RetryAfter> for Duration {
    fn from(retry_after: RetryAfter) -> Self {
        retry_after.0
    }
}

/// Reads `retry-after-ms`, then `Retry-After`: seconds, with or without a fraction, or an HTTP
/// date, which `wall` is compared with.
///
/// `None` when neither says anything that can be used: zero, negative numbers, dates that have
/// passed and garbage are no answer, and the caller waits as it would without them. Long waits are
/// returned as they are; [`RetryPolicy`](super::RetryPolicy) has the last word.
///
/// ```
/// use agently_http::retry::parse_retry_after;
/// use agently_http::HeaderMap;
/// use std::time::{Duration, SystemTime};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("retry-after", "1.5".parse().unwrap());
/// let asked = parse_retry_after(&headers, SystemTime::UNIX_EPOCH).unwrap();
/// assert_eq!(asked.delay(), Duration::from_millis(1_500));
/// ```
#[must_use]
pub fn parse_retry_after(headers: &HeaderMap, wall: SystemTime) -> Option<RetryAfter> {
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.trim());
    let millis = text("retry-after-ms").and_then(|text| number(text, 1_000.0));
    let delay = millis.or_else(|| {
        let text = text(header::RETRY_AFTER.as_str())?;
        number(text, 1.0).or_else(|| date(text, wall))
    })?;
    Some(RetryAfter(delay))
}

/// Reads `x-should-retry`: the server's own word on whether another try makes sense, which goes
/// before any table of statuses.
#[must_use]
pub fn parse_should_retry(headers: &HeaderMap) -> Option<bool> {
    let text = headers.get("x-should-retry")?.to_str().ok()?.trim();
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn number(text: &str, divisor: f64) -> Option<Duration> {
    // Rust reads "inf", "nan" and "1e9" as numbers too; the header's grammar has digits only.
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !plain {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    let delay = Duration::try_from_secs_f64(value / divisor).ok()?;
    (!delay.is_zero()).then_some(delay)
}

fn date(text: &str, wall: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(text).ok()?;
    let delay = date.duration_since(wall).ok()?;
    (!delay.is_zero()).then_some(delay)
}
