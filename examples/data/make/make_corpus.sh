#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Collects the text that the models were trained on, from packages of Debian 12, at most 20 MB of each kind.
# usage, as root: make_corpus.sh FOLDER
set -eu
apt-get install -y -qq dict-gcide wordnet-base linux-doc manpages-de manpages-fr manpages-ru perl libc6-dev python3 >/dev/null
mkdir -p "$1"
cd "$1"
first() { head -c 20000000 || true; }
find /usr/include -name '*.h' -type f -print0 | sort -z | xargs -0 cat 2>/dev/null | first >c.txt
zcat -f /usr/share/dictd/gcide.dict.dz | first >dictionary.txt
cat /usr/share/wordnet/data.* | first >wordnet.txt
cat /usr/share/common-licenses/* >legal.txt
find /usr/share/perl* /usr/lib/x86_64-linux-gnu/perl* -name '*.p[ml]' -type f -print0 | sort -z | xargs -0 cat 2>/dev/null | first >perl.txt
find /usr/lib/python3.11 -name '*.py' -type f -print0 | sort -z | xargs -0 cat 2>/dev/null | first >python.txt
find /usr/share/doc/linux-doc-6.1 -name '*.rst*' -type f -print0 | sort -z | xargs -0 zcat -f 2>/dev/null | first >kernel_doc.txt
for language in de fr ru; do
    find /usr/share/man/$language -name '*.gz' -print0 | sort -z | xargs -0 zcat 2>/dev/null | first >man_$language.txt
done
