//! The Markdown table.

use std::collections::HashMap;

use benches::{Case, all};

use crate::{Result, measure::Measured};

/// Parses the output of `icount.sh`. Returns the instructions of a call by key.
pub(crate) fn instructions(text: &str) -> Result<HashMap<String, f64>> {
    let mut instructions = HashMap::new();
    for line in text.lines() {
        let (key, count) = line
            .rsplit_once('\t')
            .ok_or("expected the output of icount.sh, found a line without a tab")?;
        instructions.insert(key.to_owned(), count.parse()?);
    }
    Ok(instructions)
}

pub(crate) fn print(measured: &[Measured], instructions: &HashMap<String, f64>) {
    println!(
        "| layer | request | response | subscriber | instructions | over base | ns | over base | times base | \
         allocations | bytes | future |"
    );
    println!("|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let cases = all();
    for it in measured {
        let base = cases.iter().find(|case| case.key() == it.key);
        let base = base.map_or_else(String::new, Case::base_key);
        let total = instructions.get(&it.key);
        let over = total.zip(instructions.get(&base)).map(|(it, base)| it - base);
        let rounded = |value: Option<f64>| value.map_or_else(String::new, |it| format!("{it:.0}"));
        println!(
            "| {} | {} | {} | {:.0} | {:.0} | {:.2} | {:.1} | {:.0} | {} |",
            it.key.replace('\t', " | "),
            rounded(total.copied()),
            rounded(over),
            it.ns,
            it.ns_over,
            it.ratio,
            it.allocations,
            it.bytes,
            it.future.map_or_else(|| "-".to_owned(), |size| size.to_string()),
        );
    }
}
