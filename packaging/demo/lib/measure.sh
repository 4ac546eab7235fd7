# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What is measured, for the table at the end.

MEASURED=()
