"""Embed, store, retrieve, and build a prompt: with nothing but Python, or with --bedrock by models of AWS.

    python3 rag.py embed    passages.jsonl vectors.json [--with-headings]
    python3 rag.py retrieve questions.jsonl vectors.json retrieved.json
    python3 rag.py prompt   q03 questions.jsonl passages.jsonl retrieved.json prompt.txt
    python3 rag.py answer   prompt.txt answer.txt          (Bedrock only, in a real account)

Without --bedrock a text becomes 512 numbers by counting its words: each word adds to one number, which one is told by a
checksum of the word. Texts that share words come near each other. A model's numbers are better: there, texts that mean
the same come near each other, also when they share no word.
"""

import argparse
import json
import math
import re
import zlib

SIZE, NEAREST = 512, 4
USUAL = re.compile(
    r"a|an|and|are|as|at|be|by|can|do|does|for|from|how|i|in|is|its?|may|me|my|not?|of|on|one|or|so|still|that|the|them"
    r"|then|there|they|this|to|until|was|what|when|which|who|why|with|you|your"
)
RULES = (
    "Answer in at most three sentences, only from the passages. Name the passage that you used. "
    "If the passages do not answer the question, say: I do not know."
)


def embed_by_words(text):
    vector = [0.0] * SIZE
    for word in re.findall(r"[a-z0-9]+", text.lower()):
        if not USUAL.fullmatch(word):
            vector[zlib.crc32(word.rstrip("s").encode()) % SIZE] += 1.0
    length = math.sqrt(sum(number * number for number in vector)) or 1.0
    return [round(number / length, 4) for number in vector]


def embed_by_bedrock(text):
    import boto3

    body = json.dumps({"inputText": text, "dimensions": SIZE, "normalize": True})
    client = boto3.client("bedrock-runtime")
    answer = client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=body)
    return json.loads(answer["body"].read())["embedding"]


def answer_by_bedrock(prompt):
    import boto3

    reply = boto3.client("bedrock-runtime").converse(
        modelId="amazon.nova-micro-v1:0",
        messages=[{"role": "user", "content": [{"text": prompt}]}],
        inferenceConfig={"maxTokens": 200, "temperature": 0},
    )
    print(reply["usage"]["inputTokens"], "tokens in,", reply["usage"]["outputTokens"], "out")
    return reply["output"]["message"]["content"][0]["text"]


def embedded(passages, embed, with_headings):
    """{id of a passage: its vector}."""
    return {one["id"]: embed(f"{one['heading']}. {one['text']}" if with_headings else one["text"]) for one in passages}


def retrieved(questions, vectors, embed):
    """{id of a question: its vector, and the nearest passages with their likeness, the nearest first}."""
    found = {}
    for question in questions:
        vector = embed(question["text"])
        likeness = {name: sum(a * b for a, b in zip(vector, other, strict=True)) for name, other in vectors.items()}
        nearest = sorted(likeness, key=lambda name: (-likeness[name], name))[:NEAREST]
        found[question["id"]] = {"vector": vector, "nearest": [[name, round(likeness[name], 4)] for name in nearest]}
    return found


def prompt(question, passages, nearest):
    texts = {one["id"]: f"[{one['id']}: {one['heading']}]\n{one['text']}" for one in passages}
    found = "\n\n".join(texts[name] for name, _ in nearest)
    return f"{RULES}\n\n<passages>\n{found}\n</passages>\n\nQuestion: {question['text']}\n"


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("act", choices=["embed", "retrieve", "prompt", "answer"])
    asked.add_argument("given", nargs="+")
    asked.add_argument("--with-headings", action="store_true")
    asked.add_argument("--bedrock", action="store_true")
    asked = asked.parse_args()
    embed, *given, target = (embed_by_bedrock if asked.bedrock else embed_by_words), *asked.given
    if asked.act == "embed":
        vectors = embedded(lines_of(given[0]), embed, asked.with_headings)
        write(target, json.dumps(vectors))
        print(len(vectors), "passages,", SIZE, "numbers each")
    elif asked.act == "retrieve":
        questions = lines_of(given[0])
        found = retrieved(questions, json.loads(read(given[1])), embed)
        write(target, json.dumps(found))
        for question in questions:
            nearest = ", ".join(f"{name} {likeness:.2f}" for name, likeness in found[question["id"]]["nearest"])
            print(f"{question['id']} (right: {question['passage'] or 'none'})  {nearest}  {question['text']}")
    elif asked.act == "prompt":
        question = next(one for one in lines_of(given[1]) if one["id"] == given[0])
        nearest = json.loads(read(given[3]))[question["id"]]["nearest"]
        write(target, prompt(question, lines_of(given[2]), nearest))
        print(read(target))
    else:
        write(target, answer_by_bedrock(read(given[0])))
        print(read(target))


if __name__ == "__main__":
    main()
