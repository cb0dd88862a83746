//! A service, with the requests and subscribers to measure it with.

use crate::{Case, Readiness, Runner, Subscriber, request::RequestKind};

/// A service that is measured with a GET without a subscriber, and optionally in more combinations.
pub(super) struct CaseGroup {
    pub(super) name: &'static str,
    pub(super) ready: fn(RequestKind) -> Box<dyn Runner>,
    pub(super) pending: fn(RequestKind) -> Box<dyn Runner>,
    pub(super) all_requests: bool,
    pub(super) all_subscribers: bool,
}

/// Creates a [`CaseGroup`] from one expression that works for the types of both inner services.
macro_rules! cases {
    ($name:literal, |$inner:ident| $service:expr) => {
        CaseGroup {
            name: $name,
            ready: |kind| {
                let $inner = $crate::inner_service::Ready;
                $crate::runner::calls($service, kind)
            },
            pending: |kind| {
                let $inner = $crate::inner_service::PendingOnce;
                $crate::runner::calls($service, kind)
            },
            all_requests: false,
            all_subscribers: false,
        }
    };
}
pub(super) use cases;

impl CaseGroup {
    /// Adds the other requests. Intended for services that copy requests.
    pub(super) const fn all_requests(mut self) -> Self {
        self.all_requests = true;
        self
    }

    /// Adds the subscribers. Intended for services that log.
    pub(super) const fn all_subscribers(mut self) -> Self {
        self.all_subscribers = true;
        self
    }

    pub(super) fn cases(&self) -> Vec<Case> {
        let case = |kind, readiness, subscriber| Case {
            name: self.name,
            kind,
            readiness,
            subscriber,
            base: "bare",
            make: match readiness {
                Readiness::PendingOnce => self.pending,
                Readiness::Ready | Readiness::None => self.ready,
            },
        };
        let mut cases = vec![
            case(RequestKind::Get, Readiness::Ready, Subscriber::None),
            case(RequestKind::Get, Readiness::PendingOnce, Subscriber::None),
        ];
        if self.all_requests {
            cases.push(case(RequestKind::GetWithHeaders, Readiness::Ready, Subscriber::None));
            cases.push(case(RequestKind::Post, Readiness::Ready, Subscriber::None));
        }
        if self.all_subscribers {
            cases.push(case(RequestKind::Get, Readiness::Ready, Subscriber::Noop));
            cases.push(case(RequestKind::Get, Readiness::Ready, Subscriber::Debug));
            cases.push(case(RequestKind::Get, Readiness::Ready, Subscriber::Info));
            cases.push(case(RequestKind::Get, Readiness::PendingOnce, Subscriber::Info));
        }
        cases
    }
}
