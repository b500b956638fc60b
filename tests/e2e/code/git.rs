//! What git knows of the code.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use neptune_core::AtomValue;
use neptune_tests::wait_for;

use super::{Code, git_in};

#[test]
fn a_clean_repository_gives_its_commit_its_branch_and_its_remotes_without_credentials() {
    let code = Code::repository();
    code.git(&["remote", "add", "origin", "https://ada:ghp_secret@example.org/ada/net.git"]);
    let found = code.run(&[]);
    assert_eq!(found.git("commit").len(), 40);
    assert_eq!(found.git("message"), "the first\n\nwith a body");
    assert_eq!((found.git("author"), found.git("author_email")), ("Ada".into(), "ada@example.org".into()));
    assert_eq!((found.git("branch"), found.git("dirty")), ("main".into(), "false".into()));
    assert_eq!(found.git("remotes"), r#"{"origin":"https://example.org/ada/net.git"}"#);
    assert!(matches!(found.0["source_code/git/date"], AtomValue::Datetime(time) if time.as_micros() > 0));
    assert_eq!(found.below("source_code/diff/"), [""; 0]);
    assert_eq!((found.git("untracked"), found.git("trouble")), (String::new(), String::new()));
    assert_eq!(found.text("source_code/digest").len(), 64);
}

#[test]
fn what_was_changed_and_not_committed_is_kept_as_a_diff_with_the_names_of_untracked_files() {
    let code = Code::repository();
    code.write("src/main.rs", "fn main() { train() }\n");
    code.write("notes.txt", "only the name is kept");
    code.git(&["config", "diff.external", "false"]);
    let before = fs::metadata(code.home.join(".git/index")).unwrap().modified().unwrap();
    let found = code.run(&[]);
    assert_eq!((found.git("dirty"), found.git("untracked")), ("true".into(), r#"["notes.txt"]"#.into()));
    let diff = found.text("source_code/diff/head.patch");
    assert!(diff.contains("-fn main() {}\n+fn main() { train() }\n"), "{diff}");
    assert!(!diff.contains("only the name"), "{diff}");
    let after = fs::metadata(code.home.join(".git/index")).unwrap().modified().unwrap();
    assert_eq!(before, after, "the index of the user is not touched");
    assert!(!code.home.join(".git/index.lock").exists());
}

#[test]
fn commits_that_were_not_pushed_are_kept_as_a_diff_against_the_upstream_branch() {
    let code = Code::repository();
    let away = code.home.with_file_name("away.git");
    git_in(&code.home, &["clone", "-q", "--bare", ".", away.to_str().unwrap()]);
    code.git(&["remote", "add", "origin", away.to_str().unwrap()]);
    code.git(&["fetch", "-q", "origin"]);
    code.git(&["branch", "-q", "-u", "origin/main"]);
    code.write("src/main.rs", "fn main() { pushed() }\n");
    code.commit("the second");
    let found = code.run(&[]);
    assert_eq!((found.git("upstream"), found.git("ahead")), ("origin/main".into(), "1".into()));
    assert_eq!((found.git("behind"), found.git("dirty")), ("0".into(), "false".into()));
    assert!(found.text("source_code/diff/upstream.patch").contains("+fn main() { pushed() }"));
    assert_eq!(found.below("source_code/diff/"), ["upstream.patch"]);
}

#[test]
fn a_detached_head_and_a_repository_without_commits_have_what_they_have() {
    let code = Code::repository();
    code.git(&["checkout", "-q", "--detach"]);
    let found = code.run(&[]);
    assert_eq!((found.git("commit").len(), found.git("branch")), (40, String::new()));

    let code = Code::new();
    code.git(&["init", "-q", "-b", "main"]);
    code.write("a.rs", "staged\n");
    code.git(&["add", "a.rs"]);
    let found = code.run(&[]);
    assert_eq!(["commit", "branch", "trouble"].map(|name| found.git(name)), ["", "main", ""]);
    assert_eq!(found.git("dirty"), "true");
    assert!(found.text("source_code/diff/head.patch").contains("+staged"));
}

#[test]
fn without_a_repository_or_without_git_one_atom_says_so() {
    let code = Code::new();
    let found = code.run(&[]);
    assert_eq!(found.below("source_code/git/"), ["trouble"]);
    assert_eq!(found.git("trouble"), "no repository");

    let code = Code::repository();
    let empty = code.home.with_file_name("empty");
    fs::create_dir(&empty).unwrap();
    let found = code.run_in(&code.home, Some(empty.as_os_str()), &[]);
    assert_eq!(found.git("trouble"), "git is not installed");
    assert_eq!(found.below("source_code/git/"), ["trouble"]);

    let found = Code::repository().run(&["without-git"]);
    assert_eq!(found.below("source_code/git/"), [""; 0]);
}

#[test]
fn a_git_that_hangs_does_not_hold_up_the_end_and_is_gone_with_all_that_it_started() {
    let code = Code::repository();
    let programs = code.home.with_file_name("programs");
    fs::create_dir(&programs).unwrap();
    let told = programs.join("told");
    // Its child holds the pipe open.
    let script =
        format!("#!/bin/sh\n/bin/sleep 86399 &\necho $! > {0}.part\n/bin/mv {0}.part {0}\nwait\n", told.display());
    fs::write(programs.join("git"), script).unwrap();
    fs::set_permissions(programs.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let (mut trainer, _) = code.start_in(&code.home, Some(programs.as_os_str()), &["deadline=4", "waits"]);
    let child = wait_for("the child of git", || fs::read_to_string(&told).ok());
    fs::write(code.folder.path().with_extension("enough"), "").unwrap();
    assert_eq!(trainer.line(), "lost nothing");
    assert!(trainer.wait().success());
    let found = code.found();
    assert_eq!(found.text("source_code/digest"), "", "what is not whole has no digest");
    assert_eq!(found.environment("package"), "trainer 1.2.3", "what was known is recorded");
    assert_eq!(found.text("sys/state"), "succeeded");
    wait_for("the end of the child", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z")).then_some(())
    });
}

#[test]
fn a_subfolder_a_worktree_and_a_submodule_are_of_their_repository() {
    let code = Code::repository();
    let commit = code.run(&["without-sources"]).git("commit");

    let other = Code::repository();
    let found = other.run_in(&other.home.join("src"), None, &[]);
    assert_eq!((found.git("branch"), found.git("commit").len()), ("main".into(), 40));

    let worktree = code.home.with_file_name("worktree");
    code.git(&["worktree", "add", "-q", "-b", "side", worktree.to_str().unwrap()]);
    let id = code.folder.only_experiment().uuid.to_string();
    let found = code.run_in(&worktree, None, &[&format!("id={id}"), "without-sources"]);
    let own =
        found.below("source_code/").into_iter().find_map(|path| path.strip_suffix("/git/branch")).map(str::to_owned);
    assert_eq!(own, None, "the same commit without changes is the same code");
    assert_eq!(found.git("commit"), commit);

    let outer = Code::repository();
    outer.git(&["submodule", "add", "-q", code.home.to_str().unwrap(), "inner"]);
    outer.commit("with a submodule");
    fs::write(outer.home.join("inner/src/main.rs"), "changed in the submodule\n").unwrap();
    let found = outer.run(&[]);
    assert_eq!((found.git("dirty"), found.git("trouble")), ("true".into(), String::new()));
    let patch = found.text("source_code/diff/head.patch");
    assert!(patch.contains("+++ b/inner/src/main.rs\n") && patch.contains("+changed in the submodule"), "{patch}");
}

#[test]
fn looking_at_a_repository_runs_nothing_that_it_names() {
    let code = Code::repository();
    let inner = Code::repository();
    code.write(".gitattributes", "*.rs filter=evil diff=evil\n");
    code.git(&["submodule", "add", "-q", inner.home.to_str().unwrap(), "inner"]);
    code.commit("with attributes");
    let ran = code.home.with_file_name("ran");
    fs::create_dir(&ran).unwrap();
    let program = |name: &str| format!("touch {}/{name}; cat", ran.display());
    let hook = code.home.join(".git/hooks/post-index-change");
    fs::write(&hook, format!("#!/bin/sh\n{}\n", program("hook"))).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let names = [
        "filter.evil.clean",
        "filter.evil.process",
        "filter.a b.clean",
        "filter.lfs.process",
        "diff.evil.command",
        "diff.evil.textconv",
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.askPass",
        "gpg.program",
        "credential.helper",
        "remote.origin.uploadpack",
    ];
    for name in names {
        code.git(&["config", name, &program(&name.replace(' ', "-"))]);
    }
    for (name, value) in [
        ("filter.evil.required", "true"),
        ("remote.origin.url", "ext::sh -c true"),
        ("protocol.ext.allow", "always"),
        ("extensions.partialClone", "origin"),
        ("log.showSignature", "true"),
    ] {
        code.git(&["config", name, value]);
    }
    let submodule = code.home.join("inner");
    fs::write(code.home.join(".git/modules/inner/info/attributes"), "*.rs filter=inner\n").unwrap();
    git_in(&submodule, &["config", "filter.inner.clean", &program("submodule")]);
    git_in(&submodule, &["config", "core.fsmonitor", &program("submodule-monitor")]);
    code.write("src/main.rs", "fn main() { changed() }\n");
    fs::write(submodule.join("src/main.rs"), "changed within\n").unwrap();
    let found = code.run(&[]);
    let ran: Vec<_> = fs::read_dir(&ran).unwrap().map(|program| program.unwrap().file_name()).collect();
    assert_eq!(ran, [""; 0], "what a repository names was run");
    assert_eq!((found.git("trouble"), found.git("dirty")), (String::new(), "true".into()));
    let patch = found.text("source_code/diff/head.patch");
    assert!(patch.contains("+fn main() { changed() }") && patch.contains("+changed within"), "{patch}");
}

#[test]
fn a_repository_that_lies_among_the_files_of_another_is_none() {
    let code = Code::repository();
    // Whoever wrote the files wrote its settings, and a clone brings them along.
    code.git(&["init", "-q", "--bare", "net"]);
    let ran = code.home.with_file_name("ran");
    for (name, value) in [
        ("core.bare", "false"),
        ("core.worktree", ".."),
        ("core.fsmonitor", &format!("touch {}; false", ran.display())),
    ] {
        code.git(&["config", "-f", "net/config", name, value]);
    }
    code.write("net/Cargo.toml", "[package]\n");
    let found = code.run_in(&code.home.join("net"), None, &[]);
    assert!(!ran.exists());
    assert!(found.git("trouble").contains("bare repository"), "{}", found.git("trouble"));
    assert_eq!(found.git("commit"), "");
}

#[test]
fn a_work_tree_that_a_setting_has_elsewhere_is_not_looked_into() {
    let code = Code::repository();
    let elsewhere = code.home.with_file_name("elsewhere");
    fs::create_dir_all(elsewhere.join("src")).unwrap();
    fs::write(elsewhere.join("src/main.rs"), "private\n").unwrap();
    fs::write(elsewhere.join("letter.txt"), "private\n").unwrap();
    code.git(&["config", "core.worktree", elsewhere.to_str().unwrap()]);
    let found = code.run(&[]);
    assert!(found.git("trouble").contains("does not hold the folder of the code"), "{}", found.git("trouble"));
    assert_eq!((found.git("untracked"), found.text("source_code/diff/head.patch")), (String::new(), String::new()));
}

#[test]
fn what_was_changed_in_a_file_of_secrets_is_in_no_diff_and_it_is_told() {
    let code = Code::repository();
    for name in [".env", "config/PROD.env", "deploy/id_ed25519", "secrets.toml"] {
        code.write(name, "nothing yet\n");
    }
    code.commit("with places for secrets");
    for name in [".env", "config/PROD.env", "deploy/id_ed25519", "secrets.toml"] {
        code.write(name, "TOKEN=very-secret\n");
    }
    code.write("src/main.rs", "fn main() { changed() }\n");
    let found = code.run(&[]);
    let patch = found.text("source_code/diff/head.patch");
    assert!(patch.contains("+fn main() { changed() }") && !patch.contains("secret"), "{patch}");
    let left_out = found.text("source_code/left_out");
    for name in ["\".env\"", "config/PROD.env", "deploy/id_ed25519", "secrets.toml", "\"count\":4"] {
        assert!(left_out.contains(name), "{name}: {left_out}");
    }
}

#[test]
fn a_diff_is_whole_and_the_same_whatever_the_user_likes() {
    let diff = |settings: &[(&str, &str)], environment: bool| {
        let code = Code::repository();
        code.write("other/notes.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
        code.commit("two folders");
        code.write("other/notes.txt", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n");
        for (name, value) in settings {
            code.git(&["config", name, value]);
        }
        let (mut trainer, _) = if environment {
            let environment = [("GIT_DIFF_OPTS", "-u0".as_ref()), ("GIT_LITERAL_PATHSPECS", "1".as_ref())];
            code.start_with(&code.home.join("src"), None, &[], &environment)
        } else {
            code.start_in(&code.home.join("src"), None, &[])
        };
        assert_eq!(trainer.line(), "lost nothing");
        assert!(trainer.wait().success());
        code.found().text("source_code/diff/head.patch")
    };
    let settings = [
        ("diff.relative", "true"),
        ("diff.context", "0"),
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.algorithm", "patience"),
        ("diff.orderFile", "missing"),
        ("core.abbrev", "40"),
        ("status.showUntrackedFiles", "no"),
    ];
    let plain = diff(&[], false);
    assert!(plain.contains(" 4\n-5\n+five\n 6\n"), "{plain}");
    assert_eq!(diff(&settings, false), plain);
    assert_eq!(diff(&[], true), plain);
}

#[test]
fn a_program_that_forgets_its_children_is_told_what_git_knows() {
    let code = Code::repository();
    let found = code.run(&["forgets-children"]);
    assert_eq!((found.git("commit").len(), found.git("trouble")), (40, String::new()));
}

#[test]
fn of_many_untracked_files_some_are_told_and_the_others_are_counted() {
    let code = Code::repository();
    code.write("data/tracked", "");
    code.commit("a folder");
    for number in 0..20_000 {
        fs::write(code.home.join(format!("data/{number:0100}")), "").unwrap();
    }
    let found = code.run(&[]);
    let names: Vec<String> = serde_json::from_str(&found.git("untracked")).unwrap();
    let told = names.len() as u64 + found.git("untracked_left_out").parse::<u64>().unwrap();
    assert_eq!((names.len(), told), (1000, 20_000));
    assert_eq!((found.git("dirty"), found.git("trouble")), ("false".into(), String::new()));
}

#[test]
fn a_diff_that_is_too_long_is_cut_at_a_line_and_says_so() {
    let code = Code::repository();
    code.write("src/main.rs", &"a long line of code\n".repeat(100_000));
    let found = code.run(&[]);
    let diff = found.text("source_code/diff/head.patch");
    assert!((1 << 20) - 100 < diff.len() && diff.len() < (1 << 20) + 100, "{}", diff.len());
    assert!(diff.ends_with("+a long line of code\n# cut by neptune: the diff is longer than 1048576 bytes\n"));
    assert!(found.text("source_code/left_out").contains("head.patch"));
}

#[test]
fn a_program_finds_its_repository_from_the_current_folder_when_no_package_is_known() {
    let code = Code::repository();
    let mut command = Command::new(code.program());
    command.arg("code").arg(code.folder.path()).current_dir(code.home.join("src"));
    command.env_remove("CARGO_MANIFEST_DIR").env("NEPTUNE_CODE", "on");
    assert!(command.output().unwrap().status.success());
    let found = code.found();
    assert_eq!(found.git("commit").len(), 40);
    assert_eq!(found.below("source_code/files/"), [""; 0], "whose files these are is not known");
}
