# The controller on an empty base: its binary, the shared libraries that it loads, CA certificates, and nothing
# else. No shell, no package manager, no root. `make image` builds it with docker, podman or buildah.
#
# Every package comes from BASE; the architecture is the builder's, or what --platform says.
ARG BASE=docker.io/library/debian:bookworm-slim
FROM ${BASE} AS build
ENV DEBIAN_FRONTEND=noninteractive LC_ALL=C TZ=UTC
WORKDIR /build

# The list that developers install from says which libraries the program needs.
COPY tests/bootstrap/apt.txt ./
RUN set -eu; \
    apt-get update -q; \
    apt-get install -q -y --no-install-recommends ca-certificates gcc libc6-dev make pkg-config \
        $(sed -n '/^# libraries of the program/,/^$/{/^[a-z]/p}' apt.txt); \
    rm -rf /var/lib/apt/lists/*

COPY Makefile LICENSE ./
COPY cmd cmd
COPY reconciler reconciler
RUN make -j"$(nproc)" VARIANT=release all

# The whole file system of the image. What programs load by name at run time, and ldd cannot know:
#   - Connector/C's plugins: how a default MySQL 8 account, and a MariaDB one, logs in. Not there are those that
#     hand out the password as plain text to a server that asks for it (mysql_clear_password, dialog).
#   - libgcc_s, which glibc loads when a thread is cancelled.
# glibc's own NSS modules for files and DNS have been part of libc.so.6 since 2.34.
# status.d and os-release are how vulnerability scanners learn what is inside.
ARG SOURCE_DATE_EPOCH=0
RUN set -eu; \
    root=/image; lib=/lib/$(gcc -print-multiarch); \
    install -D -s -m 0755 build/release/tablesync $root/usr/bin/tablesync; \
    named="$lib/libgcc_s.so.1"; \
    for plugin in caching_sha2_password sha256_password client_ed25519; do \
        named="$named /usr$lib/libmariadb3/plugin/$plugin.so"; \
    done; \
    ldd $root/usr/bin/tablesync $named >needed.txt; \
    if grep 'not found' needed.txt; then exit 1; fi; \
    mkdir -p $root/usr/lib $root/usr/lib64 $root/usr/lib/ssl $root/var/lib/dpkg/status.d; \
    ln -s usr/lib $root/lib; \
    ln -s usr/lib64 $root/lib64; \
    for file in $named $(sed -nE 's/^\s*(\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/\2/p' needed.txt | sort -u); do \
        from=$(realpath "$file"); \
        mkdir -p "$root$(dirname "$file")"; \
        cp "$from" "$root$file"; \
        dpkg-query -S "$from" 2>/dev/null >>owners.txt || dpkg-query -S "${from#/usr}" >>owners.txt; \
    done; \
    { echo base-files; echo ca-certificates; cut -d: -f1 owners.txt; } | sort -u | while read -r package; do \
        dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"; \
        install -D -m 0644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"; \
    done; \
    install -D -m 0644 LICENSE $root/usr/share/doc/tablesync/copyright; \
    cp -a /usr/share/common-licenses $root/usr/share/; \
    install -D -m 0644 /etc/ssl/certs/ca-certificates.crt $root/etc/ssl/certs/ca-certificates.crt; \
    ln -s /etc/ssl/certs/ca-certificates.crt $root/usr/lib/ssl/cert.pem; \
    install -m 0644 /usr/lib/os-release $root/etc/os-release; \
    echo 'hosts: files dns' >$root/etc/nsswitch.conf; \
    echo 'tablesync:x:65532:65532:tablesync:/var/lib/tablesync:/usr/sbin/nologin' >$root/etc/passwd; \
    echo 'tablesync:x:65532:' >$root/etc/group; \
    install -d -m 1777 $root/tmp; \
    install -d -m 0750 -o 65532 -g 65532 $root/var/lib/tablesync; \
    chmod -R u=rwX,go=rX $root/etc $root/usr; \
    find $root -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

FROM scratch
COPY --from=build /image/ /
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="tablesync" \
      org.opencontainers.image.description="Kubernetes controller that keeps MySQL tables flowing into StarRocks through RisingWave" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["/usr/bin/tablesync"]
CMD ["controller"]
