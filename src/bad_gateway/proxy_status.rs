//! The `Proxy-Status` field (RFC 9209), as it is received.

use std::convert::Infallible;

use http::{HeaderMap, HeaderValue};
use sfv::{
    BareItemFromInput, KeyRef, Parser,
    visitor::{
        EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ListVisitor, ParameterVisitor,
    },
};

use crate::failure::{Cause, Processed, Product, evidence::ProxyStatus};

/// A longer field is not read, in bytes.
const FIELD_MAX: usize = 8 * 1024;
/// Of more members, those after so many are not kept: the first are nearest the origin.
const MEMBERS_MAX: usize = 16;
/// Of a longer text the rest is not kept, in characters.
const TEXT_MAX: usize = 256;

impl ProxyStatus {
    /// The cause that its error type names, if RFC 9209 §2.3 registers it.
    pub(super) fn cause(&self) -> Option<Cause> {
        self.error()?.parse().ok().filter(|cause: &Cause| cause.is_registered())
    }

    /// Names are free text (RFC 9209 §2), so only that of a product, and nothing like it, is taken for that product.
    pub(super) fn product(&self) -> Product {
        let known = |product: &&Product| product.as_str().eq_ignore_ascii_case(&self.proxy);
        Product::ALL.iter().find(known).copied().unwrap_or(Product::Other)
    }

    /// RFC 9209 §2.3 says of each of these that the next hop was not reached, or not asked. Not for the TLS errors that
    /// may come up after the handshake; nor if something did come back, or from behind: gateways send again by
    /// themselves, and speak of the last time only.
    pub(super) fn processed(&self, cause: Cause) -> Processed {
        match cause {
            _ if self.relayed || self.received => Processed::Maybe,
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

/// Reads the field. `None`: there is none, or it is not valid; then all of it is to be ignored (RFC 9651 §4.2).
pub(super) fn read(headers: &HeaderMap) -> Option<ProxyStatus> {
    let lines = || headers.get_all("proxy-status").iter().map(HeaderValue::as_bytes);
    if lines().map(|line| line.len() + 2).sum::<usize>() > FIELD_MAX {
        return None;
    }
    // The lines of a list are one list (RFC 9110 §5.3).
    let field = lines().collect::<Vec<_>>().join(&b", "[..]);
    let mut members = Members::default();
    Parser::new(&field).parse_list_with_visitor(&mut members).ok()?;
    // RFC 9209 §2: in the order in which they handled the response, the one nearest the origin first.
    let with_error = members.list.iter().position(|member| member.error.is_some());
    let at = with_error.unwrap_or(0);
    let relayed = at > 0;
    let chosen = members.list.into_iter().nth(at)?;
    Some(ProxyStatus { relayed, ..chosen })
}

#[derive(Default)]
struct Members {
    list: Vec<ProxyStatus>,
}

/// `None`: a member that is not kept, but still has to be valid.
struct Member<'a>(Option<&'a mut ProxyStatus>);

impl<'de> ListVisitor<'de> for Members {
    type Error = Infallible;

    fn entry(&mut self) -> Result<impl EntryVisitor<'de>, Infallible> {
        if self.list.len() == MEMBERS_MAX {
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
            // A number names nobody, so its parameters say nothing.
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

    // Of a parameter that comes twice the last counts (RFC 9651 §4.2.3.2).
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
                    member.received = true;
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
    Some(text.chars().take(TEXT_MAX).collect())
}
