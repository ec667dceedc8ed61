// The tags of a load balancer, target group, listener or rule.

import { elbv2, listOf } from "../aws.js";
import { t } from "../i18n.js";
import { button, empty, errorCard, put, table, toast } from "../ui.js";
import { card, formDialog, textArea } from "./edit-form.js";

// "key=value" lines <-> [{ Key, Value }]
export const tagsOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
  const [Key, ...rest] = line.split("=");
  return { Key: Key.trim(), Value: rest.join("=").trim() };
});
export const tagLines = (tags) => tags.map(({ Key, Value }) => `${Key}=${Value ?? ""}`).join("\n");

export function tagsField(tags = []) {
  const check = (text) => {
    const keys = tagsOf(text).map(({ Key }) => Key);
    if (keys.some((key) => !key)) return t("edit.tag_key");
    return new Set(keys).size < keys.length ? t("edit.tag_twice") : "";
  };
  return textArea(t("edit.tags"), tagLines(tags), { hint: t("edit.tags_hint"), check });
}

export function tagsPanel(arn) {
  const columns = [
    { label: t("edit.key"), head: true, text: (tag) => tag.Key },
    { label: t("edit.value"), text: (tag) => tag.Value },
  ];
  const rows = table({ caption: t("edit.tags"), key: (tag) => tag.Key, columns });
  const none = empty(t("edit.no_tags"), t("edit.no_tags_text"));
  const root = card(t("edit.tags"), button(t("edit.manage_tags"), async () => { if (await editTags(arn)) await load(); }), rows, none);
  async function load() {
    const tags = await readTags(arn);
    rows.draw(tags);
    put(rows, "hidden", !tags.length);
    put(none, "hidden", tags.length > 0);
  }
  load().catch((error) => root.replaceChildren(errorCard(error, load)));
  return root;
}

export async function readTags(arn) {
  const { TagDescriptions } = await elbv2("DescribeTags", { ResourceArns: [arn] });
  return listOf(TagDescriptions[0].Tags);
}

// Asks for the tags of a resource, changes them; whether it has.
export async function editTags(arn) {
  const before = await readTags(arn);
  const text = tagsField(before);
  const done = await formDialog({
    title: t("edit.manage_tags"), parts: [text], ok: t("edit.save"),
    act: async () => {
      const now = tagsOf(text.value());
      const gone = before.map(({ Key }) => Key).filter((key) => !now.some(({ Key }) => Key === key));
      if (gone.length) await elbv2("RemoveTags", { ResourceArns: [arn], TagKeys: gone });
      if (now.length) await elbv2("AddTags", { ResourceArns: [arn], Tags: now });
    },
  });
  if (done) toast(t("edit.saved"));
  return done;
}
