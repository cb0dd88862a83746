use std::{
    future::{Ready, ready},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use http::{HeaderName, Response, Uri};
use seawall_core::Failure;

use super::{AttemptNumber, RetryReport, policy::Policy, request_facts::RequestFacts};
use crate::time_limit::Deadline;

/// What retrying needs to know of the requests and responses of a kind of service: how to keep a request and make it
/// again, and how to let go of a response and mark the final one.
///
/// [`HttpCallAdapter`](super::HttpCallAdapter) is the one for HTTP, [`ClonedCallAdapter`] that for anything else. It is sealed, so that it can still
/// change.
pub trait CallAdapter<Req, Res>:
    sealed::RequestAdapter<Req> + sealed::ResponseAdapter<Res>
{
}

impl<P, Req, Res> CallAdapter<Req, Res> for P where
    P: sealed::RequestAdapter<Req> + sealed::ResponseAdapter<Res>
{
}

/// What the inner service receives.
pub(super) type SentRequest<P, Req> = <P as sealed::RequestAdapter<Req>>::Request;

/// What the next attempt is made of.
pub(super) type Replayed<P, Req> = <P as sealed::RequestAdapter<Req>>::Replayed;

/// Two halves, because what is sent must be known before what comes back: `S: Service<SentRequest>` decides the response.
pub(super) mod sealed {
    use std::sync::Arc;

    use http::{HeaderName, Response, Uri};

    use super::{AttemptNumber, Deadline, Failure, Policy, RequestFacts, RetryReport};

    #[diagnostic::on_unimplemented(
        message = "requests of type `{Req}` cannot be kept to be sent again by `{Self}`",
        note = "`RetryLayer` retries `http::Request<B>` where `B` is an `http_body::Body`; any other request that is `Clone` \
                is retried by `RetryLayer::new().clone_requests()`"
    )]
    pub trait RequestAdapter<Req> {
        /// What the inner service receives.
        type Request;
        /// What is kept of a request.
        type Saved;
        /// What is kept of its body.
        type Body;
        /// What only the next attempt may use, taken as soon as it is decided on.
        type Replayed;

        /// Where it goes, if that is known.
        fn uri<'a>(&self, request: &'a Req) -> Option<&'a Uri>;
        /// The policy that it brings along.
        fn policy(&self, request: &Req) -> Option<Arc<Policy>>;
        /// When it must be answered.
        fn deadline(&self, request: &Req) -> Option<Deadline>;
        /// Replaces the deadline that the request carries.
        fn set_deadline(&self, request: &mut Req, deadline: Deadline);
        /// Returns the first attempt's request, and the body that later ones send.
        fn send(&self, request: Req, max_replay_bytes: usize) -> (Self::Request, Self::Body);
        /// Keeps the part of a request that later attempts are made of.
        fn save(&self, request: &Self::Request) -> Self::Saved;
        fn facts<'a>(&self, saved: &'a Self::Saved) -> RequestFacts<'a>;
        /// Whether it can be sent again, as far as is known now.
        fn is_repeatable(&self, body: &Self::Body) -> bool;
        /// Ends what an earlier attempt may still be sending. `None` if it cannot be sent again.
        fn start_replay(&self, body: &Self::Body) -> Option<Self::Replayed>;
        fn again(
            &self,
            saved: &Self::Saved,
            again: Self::Replayed,
            attempt: AttemptNumber,
            header: Option<&HeaderName>,
        ) -> Self::Request;
    }

    #[diagnostic::on_unimplemented(
        message = "responses of type `{Res}` cannot be given up for a retry by `{Self}`",
        note = "`RetryLayer` takes services that answer `http::Response<B>` where `B` is an `http_body::Body`; any other \
                service is retried by `RetryLayer::new().clone_requests()`"
    )]
    pub trait ResponseAdapter<Res> {
        /// Lets go of a response.
        type Discard: Future<Output = ()>;

        /// With the head of the response, to be kept, where it has one.
        fn discard(&self, response: Res) -> (Self::Discard, Option<Box<Response<()>>>);
        /// Removes the report of a retry inside.
        fn remove_report(&self, response: &mut Res);
        fn annotate(&self, response: &mut Res, attempts: RetryReport);
        /// A failure, if the response's status is among these.
        fn failure_for_status(&self, response: &Res, statuses: &[u16]) -> Option<Failure>;
    }
}

/// Retries any request that is `Clone`, by cloning it. See [`RetryLayer::clone_requests`](super::RetryLayer::clone_requests).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ClonedCallAdapter {}

impl<Req: Clone> sealed::RequestAdapter<Req> for ClonedCallAdapter {
    type Request = Req;
    type Saved = Req;
    type Body = ();
    type Replayed = ();

    fn uri<'a>(&self, _request: &'a Req) -> Option<&'a Uri> {
        None
    }

    fn policy(&self, _request: &Req) -> Option<Arc<Policy>> {
        None
    }

    fn deadline(&self, _request: &Req) -> Option<Deadline> {
        None
    }

    fn set_deadline(&self, _request: &mut Req, _deadline: Deadline) {}

    fn save(&self, request: &Req) -> Req {
        request.clone()
    }

    fn send(&self, request: Req, _body_limit: usize) -> (Req, ()) {
        (request, ())
    }

    fn facts<'a>(&self, _saved: &'a Req) -> RequestFacts<'a> {
        RequestFacts {
            method: None,
            idempotency_key: false,
            time_left: None,
            margin: Duration::ZERO,
        }
    }

    fn is_repeatable(&self, (): &()) -> bool {
        true
    }

    fn start_replay(&self, (): &()) -> Option<()> {
        Some(())
    }

    fn again(
        &self,
        saved: &Req,
        (): (),
        _attempt: AttemptNumber,
        _header: Option<&HeaderName>,
    ) -> Req {
        saved.clone()
    }
}

impl<Res> sealed::ResponseAdapter<Res> for ClonedCallAdapter {
    type Discard = Ready<()>;

    fn discard(&self, response: Res) -> (Ready<()>, Option<Box<Response<()>>>) {
        drop(response);
        (ready(()), None)
    }

    fn remove_report(&self, _response: &mut Res) {}

    fn annotate(&self, _response: &mut Res, _attempts: RetryReport) {}

    fn failure_for_status(&self, _response: &Res, _statuses: &[u16]) -> Option<Failure> {
        None
    }
}

/// The number of an attempt, which is at least 1.
pub(super) fn attempt_number(made: u32) -> NonZeroU32 {
    NonZeroU32::new(made).unwrap_or(NonZeroU32::MIN)
}
