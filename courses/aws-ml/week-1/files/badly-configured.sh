#!/usr/bin/env bash
# Sets up the badly configured account of the lab "Find the holes". For practice mode only.
# Made for this course; licence: CC0 1.0.
#
#   bash badly-configured.sh PREFIX        the prefix of your lab, as its first step says
set -euo pipefail
PREFIX=${1:?write the prefix of your lab behind the name of this script}
if [ -z "${AWS_ENDPOINT_URL:-}" ]; then
  echo "This terminal works in the real AWS. Never open such holes there: take the credentials of a practice lab." >&2
  exit 1
fi

put() { printf '%s' "$2" > "$1"; }

echo "Two roles: one for workers, and one that may do everything and that everybody may use."
put trust.json '{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
aws iam create-role --role-name "${PREFIX}worker" --path /lab/ \
  --assume-role-policy-document file://trust.json > /dev/null
put trust.json '{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}'
aws iam create-role --role-name "${PREFIX}pipeline-admin" --path /lab/ \
  --assume-role-policy-document file://trust.json > /dev/null
aws iam attach-role-policy --role-name "${PREFIX}pipeline-admin" \
  --policy-arn arn:aws:iam::aws:policy/AdministratorAccess

echo "A contractor, who may start machines and give them any role."
aws iam create-user --user-name "${PREFIX}contractor" --path /lab/ > /dev/null
put policy.json '{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["ec2:RunInstances", "ec2:Describe*"], "Resource": "*"},
  {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}]}'
POLICY=$(aws iam create-policy --policy-name "${PREFIX}contractor" --path /lab/ \
  --policy-document file://policy.json --query Policy.Arn --output text)
aws iam attach-user-policy --user-name "${PREFIX}contractor" --policy-arn "$POLICY"

echo "An intern who left long ago, and whose key is in a file that was pushed to Git."
aws iam create-user --user-name "${PREFIX}old-intern" --path /lab/ > /dev/null
aws iam attach-user-policy --user-name "${PREFIX}old-intern" \
  --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
read -r ID SECRET < <(aws iam create-access-key --user-name "${PREFIX}old-intern" \
  --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text)
put leaked.env "export AWS_ACCESS_KEY_ID=$ID
export AWS_SECRET_ACCESS_KEY=$SECRET
"
rm trust.json policy.json
echo "Done. The file is called leaked.env."
