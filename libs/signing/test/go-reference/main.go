// Command main speaks for golang.org/x/mod/sumdb in go-reference.test.ts: it reads one request as JSON from its input
// and writes what tlog and note say of it.
package main

import (
	"encoding/base64"
	"encoding/json"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type request struct {
	// Records are base64; the tree is made of all of them.
	Records     []string     `json:"records"`
	Inclusions  []inclusion  `json:"inclusions"`
	Extensions  []extension  `json:"extensions"`
	Tiles       []tlog.Tile  `json:"tiles"`
	Notes       []signedNote `json:"notes"`
	SignerKey   string       `json:"signerKey"`
	TextsToSign []string     `json:"textsToSign"`
}

type inclusion struct {
	Size, Index int64
	Leaf, Root  string
	Proof       []string
}

type extension struct {
	From, To         int64
	FromRoot, ToRoot string
	Proof            []string
}

type signedNote struct{ Key, Note string }

type answer struct {
	// Roots[i] is that of the first i+1 records.
	Roots      []string   `json:"roots"`
	Inclusions []judgment `json:"inclusions"`
	Extensions []judgment `json:"extensions"`
	Tiles      []tile     `json:"tiles"`
	// Notes[i] is the text, or nothing when the note is refused.
	Notes  []*string `json:"notes"`
	Signed []string  `json:"signed"`
}

// A judgment says whether the reference accepts a proof, and which one it would have given.
type judgment struct {
	Accepted bool     `json:"accepted"`
	Own      []string `json:"own"`
}

type tile struct {
	Path string `json:"path"`
	Data string `json:"data"`
}

func main() {
	var asked request
	check(json.NewDecoder(os.Stdin).Decode(&asked))
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for at, index := range indexes {
			hashes[at] = stored[index]
		}
		return hashes, nil
	})
	var told answer
	for at, record := range asked.Records {
		data, err := base64.StdEncoding.DecodeString(record)
		check(err)
		hashes, err := tlog.StoredHashes(int64(at), data, reader)
		check(err)
		stored = append(stored, hashes...)
		root, err := tlog.TreeHash(int64(at)+1, reader)
		check(err)
		told.Roots = append(told.Roots, root.String())
	}
	for _, claim := range asked.Inclusions {
		own, err := tlog.ProveRecord(claim.Size, claim.Index, reader)
		check(err)
		err = tlog.CheckRecord(hashes(claim.Proof), claim.Size, hash(claim.Root), claim.Index, hash(claim.Leaf))
		told.Inclusions = append(told.Inclusions, judgment{err == nil, texts(own)})
	}
	for _, claim := range asked.Extensions {
		own, err := tlog.ProveTree(claim.To, claim.From, reader)
		check(err)
		err = tlog.CheckTree(hashes(claim.Proof), claim.To, hash(claim.ToRoot), claim.From, hash(claim.FromRoot))
		told.Extensions = append(told.Extensions, judgment{err == nil, texts(own)})
	}
	for _, wanted := range asked.Tiles {
		data, err := tlog.ReadTileData(wanted, reader)
		check(err)
		told.Tiles = append(told.Tiles, tile{wanted.Path(), base64.StdEncoding.EncodeToString(data)})
	}
	for _, given := range asked.Notes {
		told.Notes = append(told.Notes, open(given))
	}
	signer, err := note.NewSigner(asked.SignerKey)
	check(err)
	for _, text := range asked.TextsToSign {
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		check(err)
		told.Signed = append(told.Signed, string(signed))
	}
	check(json.NewEncoder(os.Stdout).Encode(told))
}

func open(given signedNote) *string {
	verifier, err := note.NewVerifier(given.Key)
	if err != nil {
		return nil
	}
	opened, err := note.Open([]byte(given.Note), note.VerifierList(verifier))
	if err != nil {
		return nil
	}
	return &opened.Text
}

func hash(text string) tlog.Hash {
	parsed, err := tlog.ParseHash(text)
	check(err)
	return parsed
}

func hashes(list []string) []tlog.Hash {
	parsed := make([]tlog.Hash, len(list))
	for at, text := range list {
		parsed[at] = hash(text)
	}
	return parsed
}

func texts(list []tlog.Hash) []string {
	written := make([]string, len(list))
	for at, each := range list {
		written[at] = each.String()
	}
	return written
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
