//! What is wrong with what became of a call.

use http::Method;
use seawall::{Cause, Failure, Processed, Product, Reporter};

use crate::{
    answer::{Answer, BROAD, Ends, MadeBy},
    client::Met,
    lines::Line,
};

/// One call through one gateway.
pub(crate) struct Case<'a> {
    pub(crate) product: Product,
    pub(crate) answer: &'a Answer,
    pub(crate) method: &'a Method,
    /// Without any layer: the status, and how many requests the origin saw.
    pub(crate) without: (Option<u16>, u64),
    /// Through the stack.
    pub(crate) met: &'a Met,
    pub(crate) seen: u64,
    pub(crate) lines: &'a [Line],
}

/// The statuses that `RetryLayer` sends a GET again for.
const FORCELIST: [u16; 5] = [429, 500, 502, 503, 504];

impl Case<'_> {
    /// One sentence for each thing that is not as it should be.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let Self { answer, method, met, without, .. } = self;
        let mut wrong = Vec::new();
        let mut check = |right: bool, what: String| {
            if !right {
                wrong.push(format!("{} {method}: {what}", answer.scenario));
            }
        };
        let (status, reaches) = (answer.status, answer.reaches);
        let closed = self.closed();
        check(met.status == status || closed, format!("status {:?}, not {status:?}", met.status));
        check(without.0 == status, format!("bare status {:?}, not {status:?}", without.0));
        check(without.1 == reaches, format!("the origin saw {}, not {reaches}", without.1));

        let again = *method == Method::GET && status.is_none_or(|it| FORCELIST.contains(&it));
        let sent = if again { 5 } else { 1 };
        check(met.sent == sent, format!("sent {} times, not {sent}", met.sent));
        let seen = reaches * sent as u64;
        check(
            self.seen == seen,
            format!("the origin saw {} of the stack's, not {seen}", self.seen),
        );

        let failure = met.failure;
        check(self.cause_is_right(failure), format!("cause {failure:?}"));
        check(self.reporter_is_right(failure), format!("reporter {failure:?}"));
        check(self.processed_is_right(failure), format!("processed {failure:?}"));
        check(self.body_is_right(), format!("body {:?}", met.body));
        check(self.head_is_right(), format!("headers {:?}", met.headers));
        check(self.line_is_right(), format!("logged {:?}", self.lines));
        wrong
    }

    /// Whether the gateway closed a connection that the client had used before, instead of an answer.
    fn closed(&self) -> bool {
        self.answer.only_on_fresh && self.met.status.is_none()
    }

    fn cause_is_right(&self, failure: Option<Failure>) -> bool {
        let Some(cause) = failure.map(|it| it.cause()) else {
            return self.answer.causes.is_empty();
        };
        if self.closed() {
            return cause == Cause::ConnectionTerminated;
        }
        let causes = self.answer.causes;
        // A response that tells one cause has to be read; of what an origin says, only the status is understood.
        let tells = causes.len() == 1 && self.answer.made_by == MadeBy::Gateway;
        !causes.is_empty() && (causes.contains(&cause) || !tells && BROAD.contains(&cause))
    }

    fn reporter_is_right(&self, failure: Option<Failure>) -> bool {
        let Some(reporter) = failure.map(|it| it.reporter()) else { return true };
        match (self.met.status, self.answer.made_by) {
            (None, _) => reporter == Reporter::Local,
            (Some(_), MadeBy::Gateway) => reporter == Reporter::Gateway(self.product),
            (Some(_), MadeBy::Origin) => matches!(reporter, Reporter::Origin | Reporter::Unknown),
        }
    }

    /// Only what this process saw proves anything, and here it has always seen the request go out.
    fn processed_is_right(&self, failure: Option<Failure>) -> bool {
        match failure.map(|it| it.processed()) {
            Some(Processed::No) => false,
            Some(Processed::Unlikely) => self.answer.unlikely,
            _ => true,
        }
    }

    fn body_is_right(&self) -> bool {
        let sent_by_origin = match self.answer.status {
            Some(200) => "ok",
            _ => "failed on purpose",
        };
        match (&self.met.body, self.answer.body, self.answer.made_by) {
            (Ok(body), Ends::Whole, MadeBy::Origin) => body == sent_by_origin,
            (Ok(_), Ends::Whole, MadeBy::Gateway) => true,
            (Ok(body), Ends::Deceptively, _) => body != sent_by_origin,
            (Err(failure), Ends::CutOff, _) => failure.cause() == Cause::HttpResponseIncomplete,
            _ => false,
        }
    }

    /// The origin's own failures keep what helps to find them, and what the origin asks for.
    fn head_is_right(&self) -> bool {
        let own = self.answer.made_by == MadeBy::Origin && self.met.status >= Some(400);
        let later = matches!(self.answer.scenario, "origin-429" | "origin-503-later");
        !own || self.met.headers.contains_key("x-request-id")
            && self.met.headers.contains_key("retry-after") == later
            && self.met.failure.is_some_and(|it| it.retry_after().is_some() == later)
    }

    /// One call, one line, however many requests, and it says what was concluded.
    fn line_is_right(&self) -> bool {
        let concluded = self.met.failure.or(self.met.body.as_ref().err().copied());
        let [line] = self.lines else { return false };
        line.cause.as_deref() == concluded.map(|it| it.cause().as_str())
    }
}
