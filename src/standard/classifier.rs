use std::error::Error;

use http::Response;
use seawall_core::{Failure, classify::Classify};

use crate::{retry::RetryReport, time_limit::TimeoutBody};

/// A classifier that takes the failure of a response from the report of the retry layer, and passes
/// errors to `C`.
///
/// `C` therefore only receives responses with the body type of an attempt, so it can be a closure.
#[derive(Clone, Debug)]
pub struct ReportClassifier<C>(pub(super) C);

impl<B, C> Classify<Response<TimeoutBody<B>>> for ReportClassifier<C>
where
    C: Classify<Response<B>>,
{
    fn classify(
        &self,
        outcome: Result<&Response<TimeoutBody<B>>, &(dyn Error + 'static)>,
    ) -> Option<Failure> {
        match outcome {
            Ok(response) => response.extensions().get::<RetryReport>()?.failure().copied(),
            Err(error) => self.0.classify(Err(error)),
        }
    }
}
