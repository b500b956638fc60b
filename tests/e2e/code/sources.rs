//! Which files are kept.

use std::{fs, os::unix::fs::symlink, process::Command};

use super::package;

#[test]
fn when_nothing_is_said_the_sources_of_the_package_are_kept() {
    let code = package();
    let found = code.run(&["without-git"]);
    assert_eq!(found.below("source_code/files/"), ["Cargo.toml", "src/main.rs", "src/net/layer.rs"]);
    assert_eq!(found.text("source_code/files/src/net/layer.rs"), "struct Layer;\n");
    assert!(found.text("source_code/Cargo.lock").contains("0.9.0"));
    assert_eq!(found.text("source_code/dependencies"), r#"{"rand":"0.9.0","trainer":"1.2.3"}"#);
    assert_eq!(found.text("source_code/left_out"), "");
}

#[test]
fn files_folders_globs_and_expressions_choose_what_is_kept() {
    let files = |settings: &[&str]| {
        let found = package().run(&[&["without-git"], settings].concat());
        let files: Vec<String> = found.below("source_code/files/").into_iter().map(str::to_owned).collect();
        (files, found.text("source_code/left_out"))
    };
    assert_eq!(files(&["source=Cargo.toml", "source=src/net"]).0, ["Cargo.toml", "src/net/layer.rs"]);
    assert_eq!(files(&["source=**/*.rs"]).0, ["src/main.rs", "src/net/layer.rs"]);
    assert_eq!(files(&["source=src/*"]).0, ["src/kernel.cu", "src/main.rs"]);
    assert_eq!(files(&[r"matching=\.(cu|toml)$"]).0, ["Cargo.toml", "configs/a.toml", "src/kernel.cu"]);
    assert_eq!(files(&["without-sources"]).0, [""; 0]);
    let (found, left_out) = files(&["source=configs", "source=missing.rs", "source=*.py"]);
    assert_eq!(found, ["configs/a.toml"]);
    for reason in ["\"count\":3", "\"configs/.env\"", "\"missing.rs\"", "no file has such a name"] {
        assert!(left_out.contains(reason), "{left_out}");
    }
    assert_eq!(files(&["source=configs/.env"]).0, ["configs/.env"], "who names it wants it");
}

#[test]
fn links_lead_neither_around_in_a_circle_nor_out_of_the_folder() {
    let code = package();
    let secret = code.home.with_file_name("secret.rs");
    fs::write(&secret, "elsewhere").unwrap();
    symlink("..", code.home.join("src/loop")).unwrap();
    symlink(&secret, code.home.join("src/leak.rs")).unwrap();
    symlink("main.rs", code.home.join("src/same.rs")).unwrap();
    symlink("nothing", code.home.join("src/dangling.rs")).unwrap();
    symlink(code.home.parent().unwrap(), code.home.join("out")).unwrap();
    assert!(Command::new("mkfifo").arg(code.home.join("src/pipe.rs")).status().unwrap().success());
    let found = code.run(&["without-git", "source=src", "source=out", "source=src/pipe.rs", "source=src/dangling.rs"]);
    let wanted = ["src/kernel.cu", "src/main.rs", "src/net/layer.rs", "src/same.rs"];
    assert_eq!(found.below("source_code/files/"), wanted);
    let left_out = found.text("source_code/left_out");
    for name in ["src/leak.rs", "\"out\"", "src/pipe.rs", "src/dangling.rs", "\"count\":4"] {
        assert!(left_out.contains(name), "{left_out}");
    }
}

#[test]
fn a_file_that_is_too_large_is_left_out_and_told() {
    let code = package();
    fs::File::create(code.home.join("src/huge.rs")).unwrap().set_len((1 << 20) + 1).unwrap();
    let found = code.run(&["without-git"]);
    assert!(found.text("source_code/left_out").contains("it has more than 1048576 bytes"));
    assert_eq!(found.below("source_code/files/").len(), 3);
    assert_eq!(found.text("sys/state"), "succeeded");
}

#[test]
fn of_what_a_program_was_compiled_of_its_sources_are_kept_and_neither_secrets_nor_what_was_made() {
    let code = package();
    code.write("src/.env", "TOKEN=secret\n");
    code.write("src/key.pem", "secret\n");
    code.write("src/notes.txt", "included\n");
    code.write("target/debug/build/x/out/made.rs", "made\n");
    code.write(".cargo/config.toml", "[registries.own]\ntoken = \"secret\"\n");
    let files = ["src/main.rs", "src/.env", "src/key.pem", "src/notes.txt", "target/debug/build/x/out/made.rs"];
    let files = files.map(|name| code.home.join(name).to_str().unwrap().to_owned()).join(" ");
    fs::write(code.program().with_extension("d"), format!("/t/trainer: {files}\n")).unwrap();
    let found = code.run(&["without-git"]);
    assert_eq!(found.below("source_code/files/"), ["Cargo.toml", "src/main.rs", "src/notes.txt"]);
    let left_out = found.text("source_code/left_out");
    for name in ["src/.env", "src/key.pem", ".cargo/config.toml", "\"count\":3"] {
        assert!(left_out.contains(name), "{name}: {left_out}");
    }
}

#[test]
fn a_secret_is_one_by_whatever_name_a_link_leads_to_it() {
    let code = package();
    code.write("configs/.ENV", "TOKEN=secret\n");
    symlink(".ENV", code.home.join("configs/settings.txt")).unwrap();
    let found = code.run(&["without-git", "source=configs"]);
    assert_eq!(found.below("source_code/files/"), ["configs/a.toml"]);
    assert!(found.text("source_code/left_out").contains("configs/settings.txt"));
}

#[test]
fn a_folder_of_data_that_was_named_is_read_no_further_than_there_is_room() {
    let code = package();
    for number in 0..40 {
        let file = fs::File::create(code.home.join(format!("configs/{number:02}.bin"))).unwrap();
        file.set_len(16 << 20).unwrap();
    }
    let found = code.run(&["without-git", "source=configs", "deadline=120"]);
    let kept = found.below("source_code/files/").len();
    assert!((10..=16).contains(&kept), "{kept}");
    assert!(found.text("source_code/left_out").contains("all files together have more than 268435456 bytes"));
    assert_eq!(found.text("source_code/digest").len(), 64);
}
