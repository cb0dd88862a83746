//! What is to be expected of a gateway: a row for each scenario.

use seawall::Cause::{self, *};

/// What comes of one request through a gateway, and what may be said of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) scenario: &'static str,
    /// `None`: what comes is not HTTP.
    pub(crate) status: Option<u16>,
    pub(crate) made_by: MadeBy,
    /// What the same response is given for by this gateway, as far as recorded. None: it looks like a success.
    pub(crate) causes: &'static [Cause],
    /// Whether the response is only ever given when nothing was sent.
    pub(crate) unlikely: bool,
    /// Requests that the origin sees for one that the gateway is sent.
    pub(crate) reaches: u64,
    pub(crate) body: Ends,
    /// Whether the gateway closes a connection on which it has answered before without a word, so that the client
    /// sends the request again, as RFC 9112 §9.3.1 lets it.
    pub(crate) only_on_fresh: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MadeBy {
    Gateway,
    Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// As the origin sent it, or the gateway's page.
    Whole,
    /// In an error.
    CutOff,
    /// As if it were whole, which it is not: no client can know.
    Deceptively,
}

impl Answer {
    /// The gateway's own answer, after the request had been sent.
    pub(crate) const fn own(scenario: &'static str, status: u16, causes: &'static [Cause]) -> Self {
        let (made_by, body) = (MadeBy::Gateway, Ends::Whole);
        let status = Some(status);
        let (unlikely, reaches, only_on_fresh) = (false, 1, false);
        Self { scenario, status, made_by, causes, unlikely, reaches, body, only_on_fresh }
    }

    /// The origin's answer, relayed.
    pub(crate) const fn relayed(
        scenario: &'static str,
        status: u16,
        causes: &'static [Cause],
    ) -> Self {
        Self { made_by: MadeBy::Origin, ..Self::own(scenario, status, causes) }
    }

    /// A 200 by its head.
    pub(crate) const fn success(scenario: &'static str, body: Ends) -> Self {
        Self { body, ..Self::relayed(scenario, 200, &[]) }
    }

    /// Bytes that are not HTTP.
    pub(crate) const fn not_http(scenario: &'static str, causes: &'static [Cause]) -> Self {
        Self { status: None, ..Self::own(scenario, 0, causes) }
    }

    /// The client sees the connection closed instead, if it used it before.
    pub(crate) const fn only_on_fresh_connections(self) -> Self {
        Self { only_on_fresh: true, ..self }
    }

    /// The origin saw nothing, though this answer does not prove it.
    pub(crate) const fn unseen(self) -> Self {
        Self { reaches: 0, ..self }
    }

    /// The origin saw nothing, and this answer is never given otherwise.
    pub(crate) const fn never_sent(self) -> Self {
        Self { unlikely: true, ..self.unseen() }
    }
}

/// What every gateway makes of an origin that answers.
pub(crate) const BY_ALL: [Answer; 8] = [
    Answer::success("healthy", Ends::Whole),
    Answer::success("truncated", Ends::CutOff),
    Answer { unlikely: true, ..Answer::relayed("origin-429", 429, &[RateLimited]) },
    Answer::relayed("origin-500", 500, &[OriginError]),
    Answer::relayed("origin-502", 502, &[OriginError]),
    Answer::relayed("origin-503", 503, &[OriginError, Overloaded]),
    Answer::relayed("origin-503-later", 503, &[OriginError, Overloaded]),
    Answer::relayed("origin-504", 504, &[OriginError]),
];

/// Causes that say less than another one: right where a response does not let a client know more.
pub(crate) const BROAD: &[Cause] =
    &[BadGateway, DestinationUnavailable, Overloaded, GatewayTimeout, Unknown];

pub(crate) const ENDED: &[Cause] = &[ConnectionTerminated, HttpResponseIncomplete];
pub(crate) const TIMED_OUT: &[Cause] = &[ConnectionReadTimeout, HttpResponseTimeout];
/// The connection ended, or what came on it was no response that the gateway would read.
pub(crate) const UNREADABLE: &[Cause] = &[
    ConnectionTerminated,
    HttpProtocolError,
    HttpResponseHeaderSectionSize,
    HttpResponseHeaderSize,
    HttpResponseIncomplete,
];
pub(crate) const NO_SUCH_NAME: &[Cause] = &[DestinationNotFound, DnsError];
