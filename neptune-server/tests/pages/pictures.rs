//! Pictures of the pages for the documentation; `scripts/pictures` trains what is seen in them, and calls this.

use std::{env, path::Path};

use crate::{browser::Browser, site::serve};

/// What a picture shows: its name, the address, and what must be on the page before it is taken.
const PICTURES: [(&str, &str, &str); 13] = [
    ("projects", "/", "main a"),
    (
        "experiments",
        "/p/examples/digits?view=split&split=50&charts=accuracy%7Closs&q=mlp&columns=parameters%2Fdescent%2Flearning_rate%2Cbest%2Fvalidation_accuracy",
        ".chart canvas",
    ),
    ("table", "/p/examples/digits?view=table", ".runs td.number"),
    ("charts", "/p/examples/digits?view=charts&smooth=0.9", ".chart canvas"),
    ("compare", "/compare?ids=DIG-1,DIG-2,DIG-3,DIG-4,DIG-5,DIG-6", "tr.differs"),
    (
        "parallel",
        "/compare?ids=DIG-1,DIG-2,DIG-3,DIG-4,DIG-5,DIG-6&view=parallel&log=parameters%2Fdescent%2Flearning_rate%2Ctrain%2Floss%2Cvalidation%2Floss",
        "main canvas",
    ),
    (
        "scatter",
        "/compare?ids=DIG-1,DIG-2,DIG-3,DIG-4,DIG-5,DIG-6&view=scatter&log=parameters%2Fdescent%2Flearning_rate",
        "main canvas",
    ),
    ("experiment", "/e/DIG-3", ".overview"),
    ("images", "/e/DIG-7?tab=images", "main img"),
    ("console", "/e/DIG-7?tab=console", ".tab"),
    ("timings", "/e/TRA-1?tab=timings", "main table"),
    ("hardware", "/e/DIG-7?tab=hardware", "main canvas"),
    ("code", "/e/DIG-3?tab=code", ".tab"),
];

#[test]
#[ignore = "it writes into the documentation; called by scripts/pictures"]
fn pictures_of_the_pages() {
    let of = env::var_os("NEPTUNE_PICTURES_OF").expect("the folder of what is to be seen: run scripts/pictures");
    let site = serve(Path::new(&of));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ui");
    std::fs::create_dir_all(&folder).unwrap();
    let mut browser = Browser::open(&site);
    browser.size(1440, 900);
    for (name, page, shown) in PICTURES {
        for is_dark in [false, true] {
            // Each in one theme; the first page that is met in both.
            if is_dark && name != "experiments" {
                continue;
            }
            browser.prefer_dark(is_dark);
            browser.go(&format!("{}{page}", site.trim_end_matches('/')));
            browser.wait_for(&format!("document.querySelector({shown:?})"));
            // What is fetched for it, and drawn.
            browser.value("new Promise((done) => setTimeout(done, 1500))");
            browser.picture(&folder.join(format!("{name}{}.png", if is_dark { "-dark" } else { "" })));
        }
    }
}
