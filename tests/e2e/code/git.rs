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
    assert!(found.text("source_code/diff/head.patch").contains("-dirty"));
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
    // Not beside the list of its files that cargo wrote.
    let program = code.home.with_file_name("program");
    let built = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("neptune-test-child");
    fs::hard_link(&built, &program).or_else(|_| fs::copy(&built, &program).map(drop)).unwrap();
    let mut command = Command::new(&program);
    command.arg("code").arg(code.folder.path()).current_dir(code.home.join("src"));
    command.env_remove("CARGO_MANIFEST_DIR").env("NEPTUNE_CODE", "on");
    assert!(command.output().unwrap().status.success());
    let found = code.found();
    assert_eq!(found.git("commit").len(), 40);
    assert_eq!(found.below("source_code/files/"), [""; 0], "whose files these are is not known");
}
