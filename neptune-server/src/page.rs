//! The one page of all addresses. It names every module that its address will need, so that a browser asks for them at once
//! rather than for each when it has read the one that imports it.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::http::Uri;

use crate::assets;

const PAGE: &str = include_str!("../ui/index.html");

/// What stands before the names of the modules.
const BEFORE: &str = "<script type=\"module\"";

/// The module of a page, by the beginning of its address.
const PLACES: [(&str, &str); 4] =
    [("/p/", "experiments"), ("/e/", "experiment"), ("/compare", "compare"), ("/", "projects")];

/// Of pages with parts: what in the address says which is shown, and the one that is when nothing does.
const PARTS: [(&str, &str, &str); 2] = [("experiment", "tab", "overview"), ("compare", "view", "table")];

/// What each module imports.
static IMPORTS: LazyLock<BTreeMap<&str, Vec<&str>>> =
    LazyLock::new(|| assets::scripts().map(|(name, text)| (name, imports(text).collect())).collect());

/// The page for an address.
pub(crate) fn page(address: &Uri) -> String {
    let mut wanted = vec!["main.js".to_owned()];
    if let Some((_, module)) = PLACES.iter().find(|(begin, _)| address.path().starts_with(begin)) {
        wanted.push(format!("{module}.js"));
        if let Some((_, key, usual)) = PARTS.iter().find(|(of, ..)| of == module) {
            let query = address.query().unwrap_or_default();
            let said = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
            wanted.push(format!("{module}-{}.js", said.unwrap_or(usual)));
        }
    }
    let links: Vec<String> =
        all_of(&wanted).iter().map(|name| format!("<link rel=\"modulepreload\" href=\"/ui/{name}\">\n")).collect();
    PAGE.replacen(BEFORE, &format!("{}{BEFORE}", links.concat()), 1)
}

/// These modules, as far as there are such, and all that they import.
fn all_of(wanted: &[String]) -> Vec<&'static str> {
    let mut found: Vec<&str> = Vec::new();
    let mut left: Vec<&str> = wanted.iter().map(String::as_str).collect();
    while let Some(name) = left.pop() {
        if let Some((name, imports)) = IMPORTS.get_key_value(name)
            && !found.contains(name)
        {
            found.push(name);
            left.extend(imports);
        }
    }
    found
}

/// The names in the lines of a module that import when it is loaded.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| Some(line.split_once(" from \"./")?.1.split_once('"')?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(address: &str) -> Vec<&'static str> {
        let page = page(&address.parse().unwrap());
        let named = page.split("modulepreload\" href=\"/ui/").skip(1).map(|rest| rest.split('"').next().unwrap());
        named.map(|name| *IMPORTS.get_key_value(name).expect("only what is there is named").0).collect()
    }

    #[test]
    fn a_page_names_what_its_address_needs_and_no_more() {
        let has = |address: &str, name: &str| modules(address).contains(&name);
        for address in ["/", "/p/ada/mnist", "/e/MNI-1", "/compare?ids=MNI-1", "/nothing/here"] {
            assert!(has(address, "main.js") && has(address, "dom.js"), "{address}");
        }
        assert!(has("/p/ada/mnist", "charts.js") && !has("/p/ada/mnist", "experiment.js"));
        assert!(has("/e/MNI-1", "experiment-overview.js") && !has("/e/MNI-1", "experiments.js"));
        assert!(
            has("/e/MNI-1?path=a&tab=charts", "charts.js") && !has("/e/MNI-1?tab=charts", "experiment-overview.js")
        );
        assert!(has("/compare", "compare-table.js") && has("/compare?view=scatter", "compare-scatter-draw.js"));
        assert_eq!(modules("/e/MNI-1?tab=%22%3E%3Cscript%3E"), modules("/e/MNI-1?tab=nothing"));
    }

    #[test]
    fn every_import_of_a_module_is_there() {
        for (name, imports) in &*IMPORTS {
            for import in imports {
                assert!(IMPORTS.contains_key(import), "{name} imports {import}");
            }
        }
        assert!(IMPORTS.len() > 50 && IMPORTS.values().map(Vec::len).sum::<usize>() > 100);
    }
}
