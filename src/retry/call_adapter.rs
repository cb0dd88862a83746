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

/// Adapts the retry layer to a request type and a response type. It saves and rebuilds requests,
/// discards responses, and adds the retry report to the final response.
///
/// [`HttpCallAdapter`](super::HttpCallAdapter) is for HTTP, [`ClonedCallAdapter`] for all other
/// requests. The trait is sealed, so that it can change.
pub trait CallAdapter<Req, Res>:
    sealed::RequestAdapter<Req> + sealed::ResponseAdapter<Res>
{
}

impl<A, Req, Res> CallAdapter<Req, Res> for A where
    A: sealed::RequestAdapter<Req> + sealed::ResponseAdapter<Res>
{
}

/// The request type that the inner service receives.
pub(super) type SentRequest<A, Req> = <A as sealed::RequestAdapter<Req>>::Request;

/// The body of the next attempt. See [`RequestAdapter`](sealed::RequestAdapter).
pub(super) type NextBody<A, Req> = <A as sealed::RequestAdapter<Req>>::NextBody;

/// The two halves of [`CallAdapter`](super::CallAdapter). They are separate because the request
/// type must be known first: `S: Service<SentRequest>` determines the response type.
pub(super) mod sealed {
    use std::sync::Arc;

    use http::{HeaderName, Response, Uri};

    use super::{AttemptNumber, Deadline, Failure, Policy, RequestFacts, RetryReport};

    #[diagnostic::on_unimplemented(
        message = "requests of type `{Req}` cannot be saved for a retry by `{Self}`",
        note = "`RetryLayer` retries `http::Request<B>` where `B` is an `http_body::Body`; for any other request that is `Clone`, \
                use `RetryLayer::new().clone_requests()`"
    )]
    pub trait RequestAdapter<Req> {
        /// The request type that the inner service receives.
        type Request;
        /// The part of a request that every retry shares.
        type Saved;
        /// The source of the bodies of retries.
        type ReplaySource;
        /// The input that the next attempt needs and no other attempt may use, such as the body.
        /// The layer creates it when it decides to retry.
        type NextBody;

        /// Returns the URI, if the request has one.
        fn uri<'a>(&self, request: &'a Req) -> Option<&'a Uri>;
        /// Returns the policy that overrides the layer's for this request, if any.
        fn policy_override(&self, request: &Req) -> Option<Arc<Policy>>;
        /// Returns the deadline of the request, if any.
        fn deadline(&self, request: &Req) -> Option<Deadline>;
        /// Replaces the deadline of the request.
        fn set_deadline(&self, request: &mut Req, deadline: Deadline);
        /// Returns the request of the first attempt, and the source of the bodies of retries.
        fn split(
            &self,
            request: Req,
            max_replay_bytes: usize,
        ) -> (Self::Request, Self::ReplaySource);
        /// Saves the part of a request that every retry shares. Called before `split`.
        fn save(&self, request: &Req) -> Self::Saved;
        fn request_facts<'a>(&self, saved: &'a Self::Saved) -> RequestFacts<'a>;
        /// Returns whether the body can be replayed, as far as is known now.
        fn is_replayable(&self, source: &Self::ReplaySource) -> bool;
        /// Ends the body of the previous attempt and starts the body of the next attempt. Returns
        /// `None` if the body cannot be replayed.
        fn start_replay(&self, source: &mut Self::ReplaySource) -> Option<Self::NextBody>;
        /// Returns whether the current attempt waits for the caller's body.
        fn is_body_pending(&self, source: &Self::ReplaySource) -> bool;
        /// Builds the request of a retry. `header` is the name of the header for the attempt
        /// number, if any.
        fn rebuild(
            &self,
            saved: &Self::Saved,
            next_body: Self::NextBody,
            attempt: AttemptNumber,
            header: Option<&HeaderName>,
        ) -> Self::Request;
    }

    #[diagnostic::on_unimplemented(
        message = "responses of type `{Res}` cannot be discarded for a retry by `{Self}`",
        note = "`RetryLayer` wraps services that return `http::Response<B>` where `B` is an `http_body::Body`; for any other \
                service, use `RetryLayer::new().clone_requests()`"
    )]
    pub trait ResponseAdapter<Res> {
        /// The future that discards a response.
        type Discard: Future<Output = ()>;

        /// Discards a response. Returns its head too, if it has one.
        fn discard(&self, response: Res) -> (Self::Discard, Option<Box<Response<()>>>);
        /// Removes the report that an inner retry layer inserted.
        fn remove_report(&self, response: &mut Res);
        fn insert_report(&self, response: &mut Res, report: RetryReport);
        /// Returns a failure if `statuses` contains the status of the response.
        fn failure_for_status(&self, response: &Res, statuses: &[u16]) -> Option<Failure>;
    }
}

/// The adapter for any request that is `Clone`. Each attempt sends a clone. See
/// [`RetryLayer::clone_requests`](super::RetryLayer::clone_requests).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClonedCallAdapter {}

impl<Req: Clone> sealed::RequestAdapter<Req> for ClonedCallAdapter {
    type Request = Req;
    type Saved = Req;
    type ReplaySource = ();
    type NextBody = ();

    fn uri<'a>(&self, _request: &'a Req) -> Option<&'a Uri> {
        None
    }

    fn policy_override(&self, _request: &Req) -> Option<Arc<Policy>> {
        None
    }

    fn deadline(&self, _request: &Req) -> Option<Deadline> {
        None
    }

    fn set_deadline(&self, _request: &mut Req, _deadline: Deadline) {}

    fn save(&self, request: &Req) -> Req {
        request.clone()
    }

    fn split(&self, request: Req, _max_replay_bytes: usize) -> (Req, ()) {
        (request, ())
    }

    fn request_facts<'a>(&self, _saved: &'a Req) -> RequestFacts<'a> {
        RequestFacts {
            method: None,
            has_idempotency_key: false,
            time_left: None,
            deadline_margin: Duration::ZERO,
            is_failure_isolated: false,
        }
    }

    fn is_replayable(&self, (): &()) -> bool {
        true
    }

    fn start_replay(&self, (): &mut ()) -> Option<()> {
        Some(())
    }

    fn is_body_pending(&self, (): &()) -> bool {
        false
    }

    fn rebuild(
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

    fn insert_report(&self, _response: &mut Res, _report: RetryReport) {}

    fn failure_for_status(&self, _response: &Res, _statuses: &[u16]) -> Option<Failure> {
        None
    }
}

/// Converts a number of attempts. Zero becomes 1.
pub(super) fn nonzero_attempts(attempts: u32) -> NonZeroU32 {
    NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN)
}
