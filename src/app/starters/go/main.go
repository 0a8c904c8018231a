// Computes with large numbers. Save it with Ctrl-S, and run it in the terminal: go run .
package main

import (
	"fmt"
	"math/big"
)

func main() {
	product := new(big.Int).MulRange(1, 50)
	fmt.Println("50! =", product)
}
