# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Files by scp, sftp, rsync and git through the command line, and what the shells complete.
cast_all

must_quietly alice@client 'cluster-login get && echo one >one && cp one two'
on alice@client 'cluster-login scp -q one emr-user@core-1-1:copied && cluster-login scp -q emr-user@core-1-1:copied back && cat back'
expect_ok 'scp there and back'
expect_text '^one$' 'the file came back'
on alice@client 'cluster-login scp -q -3 emr-user@core-1-1:copied emr-user@master-1-1:moved && cluster-login ssh emr-user@master-1-1 -- cat moved'
expect_text '^one$' 'scp from node to node'
on alice@client 'cluster-login scp -q -O two emr-user@core:old && cluster-login ssh emr-user@core cat old'
expect_text '^one$' 'the old protocol of scp, by a role'
on alice@client 'cluster-login scp -q one emr-user@no-such-node:x'
expect_status 255 'a node that is none'
on alice@client 'cluster-login scp -q one bin@core-1-1:x'
expect_no_text 'one' 'an account that is not granted'
on alice@client 'printf "put one\nls -1\n" >batch; cluster-login sftp -q -b batch emr-user@core-1-1'
expect_ok 'sftp with a batch'
expect_text '^copied' 'and lists'
on alice@client 'mkdir -p tree && cp one two tree && rsync -a -e "cluster-login ssh" tree/ emr-user@core-1-1:tree/ && cluster-login ssh emr-user@core-1-1 ls tree | xargs'
expect_text '^one two$' 'rsync'
on alice@client 'cluster-login ssh emr-user@core-1-1 "rm -rf r.git && git init -q --bare r.git" && rm -rf r && git -c init.defaultBranch=main init -q r && cd r && git -c user.name=a -c user.email=a@example commit -q --allow-empty -m x && GIT_SSH_COMMAND="cluster-login ssh" git push -q emr-user@core-1-1:r.git main && GIT_SSH_COMMAND="cluster-login ssh" git ls-remote emr-user@core-1-1:r.git'
expect_text 'refs/heads/main' 'git over ssh'

# The scripts, by the shells they are for: in bash as readline calls the function, in fish as it says itself.
on alice@client 'bash -c '\''source <(cluster-login completion bash); COMP_LINE="cluster-login ssh emr-user@core-1"; COMP_POINT=${#COMP_LINE}; compopt() { :; }; COMP_WORDBREAKS=" @:="; _cluster_login; echo "${COMPREPLY[@]}"; COMP_WORDBREAKS=" "; _cluster_login; echo "${COMPREPLY[@]}"'\'
expect_text '^core-1-1$' 'bash, where @ breaks words'
expect_text '^emr-user@core-1-1$' 'bash, where it does not'
on alice@client 'cluster-login completion zsh >z && zsh -n z && echo fine'
expect_text '^fine$' 'zsh reads its script'
on alice@client 'zsh -fc '\''compdef() { : }; _files() { print files }; compadd() { local name=${@[-1]}; print -r -- "${(P@)name}" }; source =(cluster-login completion zsh); LBUFFER="cluster-login ssh emr-user@core-1"; _cluster_login; LBUFFER="cluster-login ssh emr"; _cluster_login'\'
expect_text '^emr-user@core-1-1 *$' 'zsh: a node behind an account'
expect_text '^emr-user@ *$' 'an account'
on alice@client 'HOME=$PWD fish --no-config -c "cluster-login completion fish | source; complete -C \"cluster-login ssh emr-user@core-1\""'
expect_text '^emr-user@core-1-1' 'fish'
