//! Parsing of the header `Proxy-Status` (RFC 9209).

use std::convert::Infallible;

use http::{HeaderMap, HeaderValue};
use sfv::{
    BareItemFromInput, KeyRef, Parser,
    visitor::{
        EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ListVisitor, ParameterVisitor,
    },
};

use super::ProxyStatus;
use crate::failure::{Cause, Processed, Product};

/// A longer header is ignored.
const MAX_HEADER_BYTES: usize = 8 * 1024;
/// The maximum number of members. Later ones, which are farther from the origin, are dropped.
const MAX_MEMBERS: usize = 16;
/// Longer texts are truncated.
const MAX_TEXT_CHARS: usize = 256;

impl ProxyStatus {
    /// Returns the cause that the error type names, if RFC 9209 §2.3 registers it.
    pub(super) fn cause(&self) -> Option<Cause> {
        self.error()?.parse().ok().filter(|cause: &Cause| cause.is_registered())
    }

    /// Returns the product. The name is free text (RFC 9209 §2), so only the exact name of a
    /// product identifies it.
    pub(super) fn product(&self) -> Product {
        let has_name = |product: &&Product| product.as_str().eq_ignore_ascii_case(&self.proxy);
        Product::ALL.iter().find(has_name).copied().unwrap_or(Product::Other)
    }

    /// Returns whether the request may have been processed.
    ///
    /// The causes listed here mean that the next hop did not receive the request (RFC 9209 §2.3).
    /// TLS errors that may occur after the handshake are not listed. A received or relayed response
    /// proves nothing, because gateways retry and report only the last attempt.
    pub(super) fn processed(&self, cause: Cause) -> Processed {
        match cause {
            _ if self.relayed || self.has_received_status => Processed::Maybe,
            Cause::DnsTimeout
            | Cause::DnsError
            | Cause::DestinationNotFound
            | Cause::DestinationUnavailable
            | Cause::DestinationIpProhibited
            | Cause::DestinationIpUnroutable
            | Cause::ConnectionRefused
            | Cause::ConnectionTimeout
            | Cause::ConnectionLimitReached
            | Cause::TlsCertificateError
            | Cause::HttpRequestError
            | Cause::HttpRequestDenied => Processed::Unlikely,
            _ => Processed::Maybe,
        }
    }
}

/// Parses the header. Returns `None` if it is missing or invalid. An invalid header must be ignored
/// as a whole (RFC 9651 §4.2).
pub(super) fn parse(headers: &HeaderMap) -> Option<ProxyStatus> {
    let lines = || headers.get_all("proxy-status").iter().map(HeaderValue::as_bytes);
    if lines().map(|line| line.len() + 2).sum::<usize>() > MAX_HEADER_BYTES {
        return None;
    }
    // The lines of a list are one list (RFC 9110 §5.3).
    let field = lines().collect::<Vec<_>>().join(&b", "[..]);
    let mut members = Members::default();
    Parser::new(&field).parse_list_with_visitor(&mut members).ok()?;
    // RFC 9209 §2: members are in the order in which they handled the response. The first is
    // nearest the origin.
    let first_error = members.list.iter().position(|member| member.error.is_some());
    let index = first_error.unwrap_or(0);
    let relayed = index > 0;
    let member = members.list.into_iter().nth(index)?;
    Some(ProxyStatus { relayed, ..member })
}

#[derive(Default)]
struct Members {
    list: Vec<ProxyStatus>,
}

/// Writes to one member. `None` parses a member that is dropped, because it must be valid too.
struct Member<'a>(Option<&'a mut ProxyStatus>);

impl<'de> ListVisitor<'de> for Members {
    type Error = Infallible;

    fn entry(&mut self) -> Result<impl EntryVisitor<'de>, Infallible> {
        if self.list.len() == MAX_MEMBERS {
            return Ok(Member(None));
        }
        self.list.push(ProxyStatus::default());
        Ok(Member(self.list.last_mut()))
    }
}

impl<'de> ItemVisitor<'de> for Member<'_> {
    type Error = Infallible;

    fn bare_item(
        self,
        item: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de>, Infallible> {
        Ok(Member(match (self.0, text(&item)) {
            (Some(member), Some(name)) => {
                member.proxy = name;
                Some(member)
            }
            // A number is not the name of an intermediary, so its parameters are ignored.
            _ => None,
        }))
    }
}

impl<'de> EntryVisitor<'de> for Member<'_> {
    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Infallible> {
        Ok(Ignored)
    }
}

impl<'de> ParameterVisitor<'de> for Member<'_> {
    type Error = Infallible;

    // The last value of a repeated parameter counts (RFC 9651 §4.2.3.2).
    fn parameter(
        &mut self,
        key: &'de KeyRef,
        value: BareItemFromInput<'de>,
    ) -> Result<(), Infallible> {
        if let Some(member) = &mut self.0 {
            match key.as_str() {
                // RFC 9209 §2.1.1: a token.
                "error" => member.error = token(&value),
                // RFC 9209 §2.1.5: a string.
                "details" => member.details = text(&value).filter(|_| token(&value).is_none()),
                "received-status" => {
                    member.has_received_status = true;
                    let BareItemFromInput::Integer(status) = value else { return Ok(()) };
                    member.received_status = i64::from(status).try_into().ok();
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn token(item: &BareItemFromInput<'_>) -> Option<String> {
    text(item).filter(|_| matches!(item, BareItemFromInput::Token(_)))
}

fn text(item: &BareItemFromInput<'_>) -> Option<String> {
    let text = match item {
        BareItemFromInput::Token(token) => token.as_str(),
        BareItemFromInput::String(string) => string.as_str(),
        _ => return None,
    };
    // Both are ASCII.
    Some(text.chars().take(MAX_TEXT_CHARS).collect())
}
